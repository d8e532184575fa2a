//! What was used, for whoever may know it.

use protocol::{
    ErrorCode, ErrorData,
    client::{GroupBy, UsageQuery, UsageScope},
    server::ServerMessage,
};

use super::{Outcome, Service};
use crate::{
    ledger::{Report, ReportError, reports::UsageError},
    observe,
    principal::Identity,
    store::{CallsOf, CallsPage, StoreError},
};

impl Service {
    /// What the owner used, their organisation, or everybody, and how the owner's budgets stand.
    pub(super) async fn usage(&self, identity: &Identity, query: &UsageQuery) -> Outcome {
        let failed = |code, text: String| Outcome::Failed(ErrorData::new(code, text));
        let now = self.now();
        let (of, report) = match self.reports.usage(&identity.owner, identity.role, query, now).await {
            Ok(report) => report,
            Err(UsageError::Range(text)) => return failed(ErrorCode::InvalidRequest, text.to_owned()),
            Err(error @ UsageError::Forbidden) => return failed(ErrorCode::Forbidden, error.to_string()),
            Err(UsageError::Report(error @ ReportError::TooManyRows)) => {
                return failed(ErrorCode::InvalidRequest, format!("{error}."));
            }
            Err(UsageError::Report(ReportError::Store(error))) => return Outcome::from(Err(error)),
        };
        if query.scope.is_some_and(|scope| scope != UsageScope::Own)
            && let Some(caller) = observe::current_caller()
        {
            caller.read_usage(of.organization);
        }
        let budgets = self.reports.budgets(&identity.owner, now).await;
        Outcome::from(budgets.map(|budgets| ServerMessage::Usage(report.into_response(budgets))))
    }

    /// Sums calls, whoever's they are. It is up to the caller who may ask.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report(&self, of: &CallsOf, by: &[GroupBy]) -> Result<Report, ReportError> {
        self.reports.make(of, by).await
    }

    /// Some calls, whoever's they are, as of [`Store::calls`](crate::store::Store::calls). It is up to the caller who may ask.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn calls(&self, of: &CallsOf, after: Option<String>) -> Result<CallsPage, StoreError> {
        self.store().calls(of, after).await
    }
}
