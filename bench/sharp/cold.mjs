// A cold start: one request, from the arguments, answered on standard output.
import { answer } from "./handler.mjs";

console.log(JSON.stringify(await answer(JSON.parse(process.argv[2]))));
