// Views of where code is: frames, and places where async calls wait.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { oneOf, type Shown } from "./shapes.ts";

export const frameFields = {
  file: Type.String(),
  line: Type.Integer(),
  function: Type.String({ description: "The enclosing one, `(anonymous)` without a name." }),
  class: Type.Optional(Type.String()),
  type: Type.Optional(
    oneOf(["->", "::"], "With a class, where it is known: of an instance, or static."),
  ),
};

const frameSchema = named("Frame", Type.Object(frameFields));

/** A frame of a stack, innermost first. */
export type Frame = Shown<typeof frameSchema>;

/** Innermost first. */
export const framesSchema = (description?: string) =>
  Type.Array(frameSchema, { ...(description && { description }) });

/** Innermost first: the await, then the awaits that wait for it. */
const waitingPointSchema = named(
  "WaitingPoint",
  Type.Object({ count: Type.Integer(), frames: framesSchema() }),
);

/** Async calls that wait at one place, and were called from the same places. */
export type WaitingPoint = Shown<typeof waitingPointSchema>;

export const waitingPointsSchema = (description?: string) =>
  Type.Array(waitingPointSchema, { ...(description && { description }) });
