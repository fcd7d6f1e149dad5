//! What LangSmith's answers mean.

use obs_http::Policy;

/// Runs, and feedback as parts: 409 is success where the request had one record, and else a matter of its content.
///
/// 404 says that the server lacks the endpoint, and is met by the one before it, `POST /runs/batch` or `POST /feedback`.
pub const RUNS: Policy = Policy::DEFAULT;

/// One feedback: 409 says that the server has it; 404 that it does not see the run yet, once it has answered anything.
pub const FEEDBACK: Policy = Policy::DEFAULT.success(&[409]);

/// The server's capabilities and the project's id.
pub const LOOKUPS: Policy = Policy::DEFAULT;
