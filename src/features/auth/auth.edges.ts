import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AuthController } from './auth.controller.js';
import { EmailController } from './email/email.controller.js';
import { PasswordsController } from './passwords/passwords.controller.js';
import { RegistrationController } from './registration/registration.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';

/** What meets the outside in each role. */
export const authEdges = {
  api: [AuthController, EmailController, PasswordsController, RegistrationController, SessionsController],
} satisfies FeatureEdges;
