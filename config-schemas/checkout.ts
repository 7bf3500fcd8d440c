import { dirname } from "node:path";

/** The folder of this checkout. The bundle of the program is elsewhere, and its start says where this is (toolchain/program.js). */
export const CHECKOUT = process.env.HEARTH_CHECKOUT ?? dirname(__dirname);
