// jest accepts testTimeout only for all projects together, so this file sets the timeout of each tier.
jest.setTimeout(testTimeoutSeconds * 1000);
