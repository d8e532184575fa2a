//! What the proxy does for a client, request by request. It knows nothing of sockets.

mod tools;
mod usage;

use std::{sync::Arc, time::Duration};

use protocol::{
    Catalog, ErrorCode, ErrorData, MessageId, RequestId, SessionId, Timestamp, VERSION,
    client::{
        AuthRefresh, Cancel, ClientFrame, ClientHello, ClientMessage, CreateSession, GetHistory, ListSessions,
        RenameSession, Resume,
    },
    close::CloseCode,
    limits::MAX_CLIENT_FRAME_BYTES,
    server::{
        AuthRefreshed, HistoryResponse, InProgress, Limits, ModelInfo, Pong, Principal, ServerHello, ServerMessage,
        SessionDeleted, SessionsResponse, Snapshot,
    },
};

use crate::{
    auth::{Auth, CLOCK_SKEW_MS, Refusal, RevokeError},
    content::{self, MessageLimits},
    ledger::Reports,
    principal::{Identity, Owner},
    sources::Sources,
    store::{Asked, Fingerprint, MAX_REVOCATIONS, Revocation, Revoked, Store, StoreError, new_session},
    turn::{Asking, Begin, NewTurn, Runner, Turn, Turns},
};

/// How many items a page has where the client does not say.
const DEFAULT_PAGE_ITEMS: u32 = 50;

/// How long a message waits for the answer before it, which was stopped, to be stored.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// When to send a message again that there was no place for. Nobody knows when an answer ends.
pub const BUSY_RETRY_AFTER_MS: u64 = 1_000;

/// What clients may ask for.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The model that answers where none is named.
    pub default_model: String,
    /// The models a client may name, the default one among them.
    pub models: Vec<String>,
    /// The longest message.
    pub message: MessageLimits,
    /// How many answers may be made for one socket at a time.
    pub max_parallel_turns: u32,
    /// Whether answers come from the emulator.
    pub demo: bool,
}

/// What is to be done about a request.
#[derive(Debug)]
pub enum Outcome {
    /// Say this.
    Reply(Box<ServerMessage>),
    /// Say that it failed.
    Failed(ErrorData),
    /// Say that it failed, and close the connection.
    Refused(ErrorData, CloseCode, &'static str),
    /// Whoever is connected is this person; say this.
    Identified {
        /// The person.
        identity: Arc<Identity>,
        /// How much longer the token counts.
        expires_in: Option<Duration>,
        /// What to say.
        reply: Box<ServerMessage>,
    },
    /// Send the events of a turn.
    Follow {
        /// The turn.
        turn: Arc<Turn>,
        /// From where on.
        from: From,
        /// Whether the answer is to come as one message when it is whole.
        whole: bool,
    },
}

/// Where in a log to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// After the event of this number, 0 for all.
    After(u64),
    /// With what comes next, or with the end of a turn that has ended.
    End,
}

/// Serves requests.
#[derive(Debug)]
pub struct Service {
    runner: Arc<Runner>,
    auth: Auth,
    offer: Offer,
    reports: Arc<Reports>,
}

impl Service {
    /// A service that answers those whom `auth` lets in with `runner`, within `offer`, and tells them of usage with `reports`.
    pub fn new(runner: Arc<Runner>, auth: Auth, offer: Offer, reports: Arc<Reports>) -> Self {
        Self { runner, auth, offer, reports }
    }

    /// Who may talk.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Waits for the turns under way, at most `grace`; those that have not ended by then are stored as interrupted, for which
    /// they have `settle`. No turn begins meanwhile: sockets that are told of the end refuse it.
    pub async fn wind_up(&self, grace: Duration, settle: Duration) {
        self.runner.tasks.close();
        if tokio::time::timeout(grace, self.runner.tasks.wait()).await.is_err() {
            self.turns().interrupt_all();
            let _ = tokio::time::timeout(settle, self.runner.tasks.wait()).await;
        }
    }

    /// How many turns are under way.
    pub fn running(&self) -> usize {
        self.runner.tasks.len()
    }

    /// How many calls of models are under way, and how many wait.
    pub fn calls_in_line(&self) -> (usize, usize) {
        self.runner.queue.lengths()
    }

    /// What clients may ask for.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Does what `frame` asks for, which came from `identity`, or from somebody who has not said yet who they are.
    pub async fn handle(&self, identity: Option<&Identity>, frame: ClientFrame) -> Outcome {
        let ClientFrame { id, message } = frame;
        let identity = match (&message, identity) {
            (ClientMessage::Hello(hello), _) => return self.hello(identity, hello).await,
            (ClientMessage::Refresh(refresh), Some(identity)) => return self.refresh(identity, refresh).await,
            (_, None) => return Outcome::Failed(unauthenticated(&Refusal::Missing)),
            (_, Some(identity)) => identity,
        };
        if let Err(refusal) = self.auth.check(identity) {
            return refused(&refusal);
        }
        let owner = &identity.owner;
        let message = match content::admit(&id, message, self.offer.message) {
            Ok(message) => message,
            Err(error) => return Outcome::Failed(*error),
        };
        match message {
            ClientMessage::SendMessage(send) => self.ask(identity, id, Asking::Message(send)).await,
            ClientMessage::Regenerate(again) => self.ask(identity, id, Asking::Again(again)).await,
            ClientMessage::Cancel(cancel) => self.cancel(owner, &cancel).await,
            ClientMessage::Resume(resume) => self.resume(owner, &resume).await,
            ClientMessage::CreateSession(create) => self.create_session(owner, create).await,
            ClientMessage::ListSessions(list) => self.list_sessions(owner, &list).await.into(),
            ClientMessage::GetHistory(get) => self.history(owner, &get).await.into(),
            ClientMessage::RenameSession(rename) => self.rename_session(owner, rename).await.into(),
            ClientMessage::DeleteSession(delete) => self.delete_session(owner, delete.session_id).await.into(),
            ClientMessage::Usage(query) => self.usage(identity, &query).await,
            ClientMessage::Ping(_) => Outcome::Reply(Box::new(ServerMessage::Pong(Pong {}))),
            ClientMessage::ApproveTool(approve) => self.approve_tool(owner, approve).await,
            ClientMessage::Hello(hello) => self.hello(Some(identity), &hello).await,
            ClientMessage::Refresh(refresh) => self.refresh(identity, &refresh).await,
        }
    }

    async fn ask(&self, identity: &Identity, request_id: RequestId, asking: Asking) -> Outcome {
        let owner = &identity.owner;
        let fail = |code, text: String| Outcome::Failed(ErrorData::new(code, text));
        let model = self.model_of(owner, &asking).await;
        if let Some(error) = self.not_offered(owner, &model) {
            return Outcome::Failed(error);
        }
        let session_id = asking.session_id().cloned().unwrap_or_else(|| self.sources().session_id());
        let whole = !asking.streaming();
        let fingerprint = Fingerprint::of(asking.clone());
        let new =
            NewTurn { owner: owner.clone(), session_id, request_id, asking, fingerprint, model, role: identity.role };
        let begin = match self.turns().known(&new) {
            Some(known) => known,
            None => match self.asked_before(&new).await {
                Ok(None) => self.turns().begin_after_stop(&new, self.sources(), STOP_TIMEOUT).await,
                Ok(Some(asked)) => match self.turns().known(&new) {
                    // It has begun meanwhile, over another socket.
                    Some(known) => known,
                    None => return self.ask_again(&new, asked).await,
                },
                Err(error) => return Outcome::from(Err(error)),
            },
        };
        match begin {
            Begin::New(turn) => {
                self.runner.start(turn.clone(), new);
                Outcome::Follow { turn, from: From::After(0), whole }
            }
            Begin::Same(turn) => Outcome::Follow { turn, from: From::After(0), whole },
            Begin::OtherBody => Outcome::Failed(other_body(&new.request_id)),
            Begin::SessionBusy => fail(
                ErrorCode::InvalidRequest,
                "An answer is being made in this session. Wait for its end, or stop it, before the next message."
                    .to_owned(),
            ),
            Begin::Full(most, whose) => {
                let text = format!("{most} answers are being made for {whose}, the most. Wait for one of them.");
                let mut error = ErrorData::new(ErrorCode::RateLimited, text);
                error.retry_after_ms = Some(BUSY_RETRY_AFTER_MS);
                Outcome::Failed(error)
            }
            Begin::OverRate(over) => Outcome::Failed(over.into_data()),
        }
    }

    async fn asked_before(&self, new: &NewTurn) -> Result<Option<Asked>, StoreError> {
        let Some(session) = new.asking.session_id() else { return Ok(None) };
        match self.store().asked(&new.owner, session, &new.request_id).await {
            Err(StoreError::SessionNotFound) => Ok(None),
            other => other,
        }
    }

    /// A message that was sent before gets the answer it had then, and never a second one.
    async fn ask_again(&self, new: &NewTurn, asked: Asked) -> Outcome {
        if asked.fingerprint != new.fingerprint {
            return Outcome::Failed(other_body(&new.request_id));
        }
        let NewTurn { owner, session_id, request_id, .. } = new;
        match self.runner.elsewhere(owner, &asked.answer).await {
            Ok(None) => {}
            Ok(Some(turn)) => return Outcome::Follow { turn, from: From::After(0), whole: !new.asking.streaming() },
            Err(error) => return Outcome::from(Err(error)),
        }
        match self.store().answer(owner, &asked.answer).await {
            Err(error) => Outcome::from(Err(error)),
            Ok(None) => {
                let text =
                    "This message was taken before, and its answer was replaced or lost. Send it again as a new one.";
                Outcome::Failed(ErrorData::new(ErrorCode::Interrupted, text))
            }
            Ok(Some((_, answer))) => match Turn::restored(owner, session_id.clone(), request_id.clone(), answer) {
                Ok(turn) => {
                    Outcome::Follow { turn: Arc::new(turn), from: From::After(0), whole: !new.asking.streaming() }
                }
                Err(_) => Outcome::Failed(no_such_answer()),
            },
        }
    }

    /// The models that `owner` may ask for; the first of them answers where none is named.
    fn models_of(&self, owner: &Owner) -> Vec<&String> {
        let rules = &self.runner.limits.model_rules;
        let all = std::iter::once(&self.offer.default_model)
            .chain(self.offer.models.iter().filter(|model| **model != self.offer.default_model));
        all.filter(|model| rules.allow(&owner.organization, model, self.catalog())).collect()
    }

    /// Why `model` cannot answer `owner`, if it cannot.
    fn not_offered(&self, owner: &Owner, model: &str) -> Option<ErrorData> {
        let models = self.models_of(owner);
        if models.iter().any(|offered| *offered == model) {
            return None;
        }
        let text = match models.as_slice() {
            [] => "No model is offered to this organization. Who runs the proxy decides that.".to_owned(),
            models => {
                let names: Vec<&str> = models.iter().map(|model| model.as_str()).collect();
                format!("{model} is not offered here. The models are: {}.", names.join(", "))
            }
        };
        Some(ErrorData::new(ErrorCode::ModelNotFound, text))
    }

    /// The model that is asked for: the message's own, the session's, or the default one.
    async fn model_of(&self, owner: &Owner, asking: &Asking) -> String {
        let of_session = match (asking.model(), asking.session_id()) {
            (None, Some(id)) => self.store().session(owner, id).await.ok().and_then(|session| session.model),
            _ => None,
        };
        let default = || self.models_of(owner).first().map_or_else(String::new, |model| (*model).clone());
        asking.model().map(str::to_owned).or(of_session).unwrap_or_else(default)
    }

    async fn cancel(&self, owner: &Owner, cancel: &Cancel) -> Outcome {
        let turn = match (&cancel.message_id, &cancel.request_id) {
            (Some(id), _) => self.turns().find(owner, id),
            (None, Some(id)) => self.turns().find_request(owner, id),
            (None, None) => None,
        };
        if let Some(turn) = turn {
            turn.cancel();
            return Outcome::Follow { turn, from: From::End, whole: false };
        }
        let elsewhere = async {
            let Some(id) = &cancel.message_id else { return Ok(None) };
            let turn = self.runner.elsewhere(owner, id).await?;
            if turn.is_some() {
                self.store().ask_to_stop(owner, id).await?;
            }
            Ok(turn)
        };
        match elsewhere.await {
            Ok(Some(turn)) => Outcome::Follow { turn, from: From::End, whole: false },
            Ok(None) => Outcome::Failed(no_such_answer()),
            Err(error) => Outcome::from(Err(error)),
        }
    }

    async fn resume(&self, owner: &Owner, resume: &Resume) -> Outcome {
        let Some(turn) = self.turns().find(owner, &resume.message_id) else {
            return match self.runner.elsewhere(owner, &resume.message_id).await {
                Ok(Some(turn)) => Outcome::Follow { turn, from: From::After(resume.after), whole: false },
                Ok(None) => self.stored_answer(owner, &resume.message_id).await,
                Err(error) => Outcome::from(Err(error)),
            };
        };
        let (seq, ended) = turn.with_log(|log| (log.seq(), log.end().is_some()));
        match resume.after {
            after if after > seq => {
                let text = format!("The answer has {seq} events so far; after is {after}.");
                Outcome::Failed(ErrorData::new(ErrorCode::InvalidRequest, text))
            }
            // A client that has it all and asks all the same gets the end once more instead of silence.
            after if after == seq && ended => Outcome::Follow { turn, from: From::End, whole: false },
            after => Outcome::Follow { turn, from: From::After(after), whole: false },
        }
    }

    /// The answer as it is kept, for whoever comes when its log is gone.
    async fn stored_answer(&self, owner: &Owner, id: &MessageId) -> Outcome {
        match self.store().answer(owner, id).await {
            Err(error) => Outcome::from(Err(error)),
            Ok(None) => Outcome::Failed(no_such_answer()),
            Ok(Some((session_id, message))) => {
                Outcome::Reply(Box::new(ServerMessage::Snapshot(Snapshot::of_kept(session_id, message))))
            }
        }
    }

    async fn create_session(&self, owner: &Owner, create: CreateSession) -> Outcome {
        if let Some(error) = create.model.as_deref().and_then(|model| self.not_offered(owner, model)) {
            return Outcome::Failed(error);
        }
        let session = new_session(self.sources().session_id(), create.title, create.model, (self.sources().now)());
        Outcome::from(self.store().ensure_session(owner, session).await.map(ServerMessage::SessionCreated))
    }

    async fn list_sessions(&self, owner: &Owner, list: &ListSessions) -> Result<ServerMessage, StoreError> {
        let page = self.store().sessions(owner, list.before.as_ref(), page_items(list.limit)).await?;
        Ok(ServerMessage::Sessions(SessionsResponse { sessions: page.items, has_more: page.has_more }))
    }

    async fn history(&self, owner: &Owner, get: &GetHistory) -> Result<ServerMessage, StoreError> {
        let GetHistory { session_id, before, limit } = get;
        // Taken before the messages: a turn that ends in between is then found among them, and is not taken for one under way.
        let running = self.turns().running_in(owner, session_id).filter(|_| before.is_none());
        let running = match running {
            None if before.is_none() => self.elsewhere_in(owner, session_id).await?,
            running => running,
        };
        let so_far = running.and_then(|turn| turn.so_far());
        let page = self.store().messages(owner, session_id, before.as_ref(), page_items(*limit)).await?;
        let stored = |id: &MessageId| page.items.iter().any(|message| message.message_id == *id);
        let in_progress = so_far.filter(|(message, _)| !stored(&message.message_id));
        let in_progress = in_progress.map(|(message, seq)| InProgress { message, seq });
        Ok(ServerMessage::History(HistoryResponse {
            session_id: session_id.clone(),
            messages: page.items,
            has_more: page.has_more,
            in_progress,
        }))
    }

    /// The answer that another process makes in a session.
    async fn elsewhere_in(&self, owner: &Owner, session: &SessionId) -> Result<Option<Arc<Turn>>, StoreError> {
        match self.store().open_in(owner, session).await? {
            Some(id) => self.runner.elsewhere(owner, &id).await,
            None => Ok(None),
        }
    }

    async fn rename_session(&self, owner: &Owner, rename: RenameSession) -> Result<ServerMessage, StoreError> {
        self.store().rename_session(owner, &rename.session_id, rename.title).await.map(ServerMessage::SessionUpdated)
    }

    async fn delete_session(&self, owner: &Owner, session_id: SessionId) -> Result<ServerMessage, StoreError> {
        self.store().delete_session(owner, &session_id).await?;
        self.turns().forget_session(owner, &session_id);
        Ok(ServerMessage::SessionDeleted(SessionDeleted { session_id }))
    }

    /// Has tokens count no more.
    ///
    /// # Errors
    /// [`RevokeError`].
    pub async fn revoke(&self, what: Revoked) -> Result<Revocation, RevokeError> {
        let revocations = self.auth.revocations();
        if revocations.len() >= MAX_REVOCATIONS {
            return Err(RevokeError::TooMany);
        }
        let at = self.now();
        let lifetime_ms = self.auth.max_lifetime_ms().saturating_add(2 * CLOCK_SKEW_MS);
        let until = Timestamp::from_unix_ms(at.unix_ms().saturating_add(lifetime_ms));
        let revocation = Revocation { what, at, until };
        self.store().revoke(revocation.clone()).await?;
        revocations.add(std::slice::from_ref(&revocation), at);
        Ok(revocation)
    }

    /// What was revoked and is not forgotten yet.
    ///
    /// # Errors
    /// [`RevokeError`] where the store fails.
    pub async fn revocations(&self) -> Result<Vec<Revocation>, RevokeError> {
        Ok(self.store().revocations(Timestamp::from_unix_ms(0), self.now()).await?)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        (self.sources().now)()
    }

    async fn hello(&self, before: Option<&Identity>, hello: &ClientHello) -> Outcome {
        if hello.version != VERSION {
            let text = format!("This proxy speaks version {VERSION} of the protocol, not {}.", hello.version);
            return Outcome::Failed(ErrorData::new(ErrorCode::InvalidRequest, text));
        }
        let identity = match (before, &hello.token) {
            (Some(before), None) => self.auth.check(before).map(|()| Arc::new(before.clone())),
            (before, token) => self.identify(before, token.as_deref()).await,
        };
        match identity {
            Ok(identity) => {
                let greeting = self.greeting(&identity);
                self.identified(identity, ServerMessage::Hello(greeting))
            }
            Err(refusal) => refused(&refusal),
        }
    }

    async fn refresh(&self, before: &Identity, refresh: &AuthRefresh) -> Outcome {
        match self.identify(Some(before), Some(&refresh.token)).await {
            Ok(identity) => {
                let expires_in_ms = self.expires_in_ms(&identity);
                self.identified(identity, ServerMessage::Refreshed(AuthRefreshed { expires_in_ms }))
            }
            // The token before it goes on to count as long as it would have.
            Err(refusal) => Outcome::Failed(unauthenticated(&refusal)),
        }
    }

    /// Who shows `token`: the same person as `before`, if anybody.
    async fn identify(&self, before: Option<&Identity>, token: Option<&str>) -> Result<Arc<Identity>, Refusal> {
        let identity = self.auth.identify(token).await?;
        match before {
            Some(before) if before.owner != identity.owner => Err(Refusal::OtherPerson),
            _ => Ok(identity),
        }
    }

    fn identified(&self, identity: Arc<Identity>, reply: ServerMessage) -> Outcome {
        let expires_in = self.expires_in_ms(&identity).map(Duration::from_millis);
        Outcome::Identified { identity, expires_in, reply: Box::new(reply) }
    }

    /// How much longer the person's token counts.
    pub fn expires_in_ms(&self, identity: &Identity) -> Option<u64> {
        identity.token.as_ref().map(|token| token.expires.unix_ms().saturating_sub(self.now().unix_ms()))
    }

    fn greeting(&self, identity: &Identity) -> ServerHello {
        let catalog = self.catalog();
        let models = self.models_of(&identity.owner);
        let model = |id: &&String| {
            let known = catalog.find(id);
            ModelInfo {
                model: (*id).clone(),
                default: models.first() == Some(id),
                max_output_tokens: known.and_then(|model| model.max_output_tokens),
                context_tokens: known.and_then(|model| model.context_tokens),
                price: known.and_then(|model| model.price),
            }
        };
        let Owner { organization, user } = &identity.owner;
        ServerHello {
            version: VERSION,
            principal: Principal {
                user: user.to_string(),
                organization: organization.to_string(),
                role: identity.role,
            },
            expires_in_ms: self.expires_in_ms(identity),
            demo: self.offer.demo,
            limits: Limits {
                max_frame_bytes: MAX_CLIENT_FRAME_BYTES as u32,
                max_message_chars: self.offer.message.chars,
                max_parallel_turns: self.offer.max_parallel_turns,
                max_system_prompt_chars: self.offer.message.system_prompt_chars,
            },
            models: models.iter().map(model).collect(),
            price_version: catalog.version().to_owned(),
            tools: self.tools_of(identity),
        }
    }

    fn store(&self) -> &dyn Store {
        self.runner.store.as_ref()
    }

    fn turns(&self) -> &Turns {
        &self.runner.turns
    }

    fn catalog(&self) -> &Catalog {
        &self.runner.catalog
    }

    fn sources(&self) -> Sources {
        self.runner.sources
    }
}

impl std::convert::From<Result<ServerMessage, StoreError>> for Outcome {
    fn from(result: Result<ServerMessage, StoreError>) -> Self {
        match result {
            Ok(message) => Self::Reply(Box::new(message)),
            Err(error) => Self::Failed(ErrorData::new(error.code(), format!("{error}."))),
        }
    }
}

fn unauthenticated(refusal: &Refusal) -> ErrorData {
    let mut error = ErrorData::new(ErrorCode::Unauthenticated, refusal.to_string());
    error.retryable = refusal.is_passing();
    error
}

/// Who cannot be let in, or not any more, is told why and what to do: the close code says whether to come back.
fn refused(refusal: &Refusal) -> Outcome {
    let (code, reason) = match refusal {
        Refusal::Expired | Refusal::NotYet => (CloseCode::TOKEN_EXPIRED, "the token does not count at this time"),
        Refusal::KeysUnavailable => (CloseCode::OVERLOADED, "tokens cannot be checked at present"),
        Refusal::Revoked => (CloseCode::REVOKED, "the token was revoked"),
        _ => (CloseCode::TOKEN_REFUSED, "the token is refused"),
    };
    Outcome::Refused(unauthenticated(refusal), code, reason)
}

fn other_body(id: &RequestId) -> ErrorData {
    let text = format!("The id {id} was used for another message of this session; choose a new one.");
    ErrorData::new(ErrorCode::InvalidRequest, text)
}

fn no_such_answer() -> ErrorData {
    let text = "There is no such answer under way. Read the history of its session for what was kept of it.";
    ErrorData::new(ErrorCode::SessionNotFound, text)
}

fn page_items(limit: Option<u32>) -> usize {
    limit.unwrap_or(DEFAULT_PAGE_ITEMS) as usize
}
