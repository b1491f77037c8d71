// Views of what an application is given: ready-made headers and secrets, each shown once.
import { Type } from "@sinclair/typebox";
import { named } from "./named.ts";
import { int64, type Shown, type ShownFields, warningsField } from "./shapes.ts";

const headerFields = {
  nonce: Type.String(),
  timestamps: Type.String(),
  signature: Type.String(),
  appKey: Type.String(),
  payload: Type.String(),
};

/** The headers of a signed request; `appKey` travels as `app_key`. */
export type HeaderSet = ShownFields<typeof headerFields>;

export const readyMadeHeadersSchema = named(
  "ReadyMadeHeaders",
  Type.Object({ ...headerFields, warnings: warningsField }),
);

export const newApplicationSchema = named(
  "Application",
  Type.Object({
    ...headerFields,
    secretKey: Type.String(),
    callbackSecret: Type.String(),
    warnings: warningsField,
  }),
);

export type NewApplicationView = Shown<typeof newApplicationSchema>;

export const newSecretsSchema = named(
  "NewSecrets",
  Type.Object({
    secretKey: Type.String(),
    callbackSecret: Type.String(),
    previousValidUntil: int64("Epoch ms on the database's clock."),
  }),
);

export type NewSecretsView = Shown<typeof newSecretsSchema>;
