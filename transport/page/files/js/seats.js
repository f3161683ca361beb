import { js } from "./say.js"; js();
