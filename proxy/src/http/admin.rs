//! What administrators may ask over HTTP: usage, the entries it is made of, and that tokens count no more.

use std::sync::Arc;

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use protocol::server::PrincipalRole;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Body, Http, Peer, ledger, revocations, text, upgrade::bearer};
use crate::observe::{Asker, Target};

/// What the addresses of all this begin with.
pub(super) const PREFIX: &str = "/admin/";

/// The shortest token of administrators, in characters.
pub const MIN_TOKEN_CHARS: usize = 16;

/// What administrators know and nobody else: as a hash, which is compared in constant time.
pub struct AdminToken([u8; 32]);

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminToken")
    }
}

impl AdminToken {
    /// This token, without blanks around it, if it has [`MIN_TOKEN_CHARS`] or more.
    pub fn new(token: &str) -> Option<Self> {
        let token = token.trim_ascii();
        (token.chars().count() >= MIN_TOKEN_CHARS).then(|| Self(Sha256::digest(token).into()))
    }

    fn is(&self, token: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(token).into();
        given.ct_eq(&self.0).into()
    }
}

/// A refusal: a status, and a sentence that says what to do.
pub(super) type Refused = (StatusCode, String);

/// Whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Administrator {
    /// May see and change everything.
    OfAll,
    /// May see and change what is this organisation's.
    Of(Arc<str>),
}

impl Administrator {
    /// The organisation that is asked about: theirs where they have but one and name none.
    pub(super) fn organization(&self, named: Option<String>) -> Result<Option<String>, Refused> {
        match (self, named) {
            (Self::OfAll, named) => Ok(named),
            (Self::Of(own), None) => Ok(Some(own.to_string())),
            (Self::Of(own), Some(named)) if named == **own => Ok(Some(named)),
            (Self::Of(own), Some(_)) => Err((StatusCode::FORBIDDEN, format!("You administer {own} only."))),
        }
    }
}

/// Answers what was asked under [`PREFIX`]. Nothing of it is to be kept by anybody on the way.
pub(super) async fn serve(http: &Http, request: Request<Incoming>) -> Response<Body> {
    let remote_address = request.extensions().get().map(|Peer(addr)| *addr);
    let mut asker = Asker { remote_address, ..Asker::default() };
    let act = act(&request);
    let mut response = match answer(http, request, &mut asker).await {
        Ok(response) => response,
        Err((status, sentence)) => {
            let mut response = as_json(status, &json!({ "error": sentence }));
            if status == StatusCode::UNAUTHORIZED {
                let bearer = HeaderValue::from_static("Bearer realm=\"outcrop\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
            }
            response
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let target = response.extensions_mut().remove::<Target>().unwrap_or_default();
    http.observe.administered(&asker, act, response.status().as_u16(), target);
    response
}

/// What is asked for, as the audit log has it.
fn act(request: &Request<Incoming>) -> &'static str {
    match (request.uri().path(), request.method()) {
        ("/admin/usage", _) => "usage.read",
        ("/admin/calls", _) => "calls.read",
        ("/admin/revocations", &Method::POST) => "revocation.made",
        ("/admin/revocations", _) => "revocations.read",
        _ => "unknown",
    }
}

/// A response in JSON.
pub(super) fn as_json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = text(status, format!("{value}\n"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn answer(http: &Http, request: Request<Incoming>, asker: &mut Asker) -> Result<Response<Body>, Refused> {
    let who = who(http, request.headers(), asker).await?;
    let parameters = request.uri().query().unwrap_or_default().to_owned();
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/admin/usage" if is_get => ledger::usage(&http.service, &who, &parameters).await,
        "/admin/calls" if is_get => ledger::calls(http.service.clone(), &who, &parameters).await,
        "/admin/revocations" if is_get => revocations::list(&http.service, &who).await,
        "/admin/revocations" if request.method() == Method::POST => {
            revocations::add(&http.service, &who, request.into_body()).await
        }
        "/admin/usage" | "/admin/calls" => Err((StatusCode::METHOD_NOT_ALLOWED, "Ask with GET.".to_owned())),
        "/admin/revocations" => Err((StatusCode::METHOD_NOT_ALLOWED, "Ask with GET or POST.".to_owned())),
        _ => {
            let sentence = "There are /admin/usage, /admin/calls and /admin/revocations.";
            Err((StatusCode::NOT_FOUND, sentence.to_owned()))
        }
    }
}

async fn who(http: &Http, headers: &HeaderMap, asker: &mut Asker) -> Result<Administrator, Refused> {
    let auth = http.service.auth();
    if http.admin.is_none() && !auth.is_on() {
        let off = "There is nothing here: the proxy was started without OUTCROP_ADMIN_TOKEN.";
        return Err((StatusCode::NOT_FOUND, off.to_owned()));
    }
    http.origins.check_origin(headers).map_err(|text| (StatusCode::FORBIDDEN, text.trim_end().to_owned()))?;
    let given = headers.get(header::AUTHORIZATION).and_then(bearer).unwrap_or_default();
    if http.admin.as_ref().is_some_and(|token| token.is(given.as_bytes())) {
        (asker.role, asker.token_id) = (Some(PrincipalRole::Operator), Some("OUTCROP_ADMIN_TOKEN".into()));
        return Ok(Administrator::OfAll);
    }
    let sentence = match (&http.admin, auth.is_on()) {
        (Some(_), true) => {
            "Send the proxy's OUTCROP_ADMIN_TOKEN, or an administrator's token, as Authorization: Bearer TOKEN."
        }
        (None, true) => "Send an administrator's token as Authorization: Bearer TOKEN.",
        (_, false) => "Send the proxy's OUTCROP_ADMIN_TOKEN as Authorization: Bearer TOKEN.",
    };
    let unauthorized = (StatusCode::UNAUTHORIZED, sentence.to_owned());
    if !auth.is_on() || given.is_empty() {
        return Err(unauthorized);
    }
    let identity =
        auth.identify(Some(given)).await.map_err(|refusal| (StatusCode::UNAUTHORIZED, refusal.to_string()))?;
    *asker = std::mem::take(asker).identified(&identity);
    match identity.role {
        PrincipalRole::Operator => Ok(Administrator::OfAll),
        PrincipalRole::Administrator => Ok(Administrator::Of(identity.owner.organization.clone())),
        PrincipalRole::User => Err((StatusCode::FORBIDDEN, "This is for administrators.".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_shown_to_nobody() {
        assert!(AdminToken::new("fifteen letters").is_none());
        let token = AdminToken::new(" sixteen letters!\n").unwrap();
        assert!(token.is(b"sixteen letters!"));
        assert!(!token.is(b"sixteen letters?") && !token.is(b"") && !token.is(b"sixteen letters! "));
        assert_eq!(format!("{token:?}"), "AdminToken");
    }
}
