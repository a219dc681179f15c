// The component framework's space for one mini-program.

import { MiniProgramEnv, glassEasel, type CodeSpace, type AssociatedBackend } from "glass-easel-miniprogram-adapter";
import { makeBackend } from "./backend.ts";
import type { Program } from "./program.ts";
import { Readiness } from "./ready.ts";
import { programFailure } from "./trouble.ts";

export interface Space {
  code: CodeSpace;
  backend: AssociatedBackend;
  ready: Readiness;
}

/** Opens an empty space on the page's document. */
export function openSpace(program: Program, around: (type: string, deliver: () => boolean) => boolean): Space {
  glassEasel.addGlobalErrorListener((thrown) => programFailure("", thrown));
  glassEasel.addGlobalWarningListener((words) => void console.warn(String(words)));
  const env = new MiniProgramEnv();
  const code = env.createCodeSpace("", true);
  code.getComponentSpace().updateComponentOptions({ writeFieldsToNode: false, writeIdToDOM: true });
  const backend = env.associateBackend(makeBackend(program.unknownTags, around));
  return { code, backend, ready: new Readiness() };
}
