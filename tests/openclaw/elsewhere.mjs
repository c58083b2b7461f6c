#!/usr/bin/env node
// The program, told where the backend is: a first login without any settings
// would ask Tencent's. HONGYAN_BINARY names this file, BACKEND the address.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const child = spawn(process.env.HONGYAN, process.argv.slice(2), { stdio: ["pipe", "inherit", "inherit"] });
child.on("exit", (code) => process.exit(code ?? 1));
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.method === "configure") message.params.section.baseUrl = process.env.BACKEND;
  child.stdin.write(`${JSON.stringify(message)}\n`);
}
child.stdin.end();
