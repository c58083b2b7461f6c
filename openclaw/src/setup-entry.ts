// The entry for lists and status: nothing here runs anything.

import { setup } from "./setup.js";

export default { plugin: setup };
