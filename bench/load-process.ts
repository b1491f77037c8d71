// The load generator's process: one load per question.
import { answerParent } from "./child.ts";
import { type LoadSpec, load } from "./load.ts";

answerParent((spec) => load(spec as LoadSpec));
