export type { Answer } from './agent/answer.ts';
export {
  type ClientDetails,
  CustomerSupportAgent,
  type CustomerSupportAgentOptions,
  type MessageReply,
  type MessageRequest,
  type StartedMessage,
} from './agent/customer-support-agent.ts';
export { type Knowledge, KnowledgeBase, type SearchOptions } from './knowledge/knowledge-base.ts';
export {
  KnowledgeFolder,
  type KnowledgeFolderOptions,
  openKnowledge,
} from './knowledge/knowledge-folder.ts';
export { bundledKnowledge, loadKnowledge } from './knowledge/load-knowledge.ts';
export type { Chunk, Passage, Source } from './knowledge/passage.ts';
export { createModel } from './model/create-model.ts';
export { LocalModel } from './model/local/local-model.ts';
export type {
  Model,
  ModelMessage,
  ModelPart,
  ModelRequest,
  SessionKnowledge,
  ToolCall,
  ToolSpec,
} from './model/model.ts';
export { ModelError, ModelServerError, type ModelServerProblem } from './model/model-error.ts';
export { type AppOptions, buildApp } from './server/app.ts';
export { type RunningServer, type ServeOptions, serve } from './server/serve.ts';
export { StartError } from './server/start-error.ts';
export type { Call } from './telemetry/calls.ts';
export type { CustomerFacts, EscalationReason, Ticket } from './tools/support-record.ts';
export { supportTools } from './tools/support-tools.ts';
export { defineTool, type Tool, type ToolContext, type ToolDefinition } from './tools/tool.ts';
