// jest takes testTimeout only for all projects together, so each tier's own is set here.
jest.setTimeout(testTimeoutSeconds * 1000);
