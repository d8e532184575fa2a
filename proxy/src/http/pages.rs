//! The page.

use std::{io, path::Path};

use http_body_util::BodyExt;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use tower_http::services::{ServeDir, ServeFile};

use super::{Body, text};

/// What a page may do: load what comes with it, run its WebAssembly, and talk to this proxy. Nothing inline, nothing remote.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Files whose name changes with their content, as Vite makes them, are kept by browsers for good.
const HASHED_FILES: &str = "/assets/";

/// Serves a file of the folder, and its `index.html` for every path that is none.
pub(super) async fn serve(www: Option<&Path>, request: Request<Incoming>) -> Response<Body> {
    let Some(www) = www else {
        let found = request.uri().path() == "/";
        let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
        return text(status, "Outcrop proxy. Chat clients connect by WebSocket, here or on /ws.\n");
    };
    let hashed = request.uri().path().starts_with(HASHED_FILES);
    let index = ServeFile::new(www.join("index.html"));
    let mut files = ServeDir::new(www).precompressed_br().precompressed_gzip().fallback(index);
    let response = match files.try_call(request).await {
        Ok(response) => response,
        Err(error) => return text(StatusCode::INTERNAL_SERVER_ERROR, format!("the page cannot be read: {error}\n")),
    };
    let found_hashed = hashed && response.status().is_success() && !is_html(&response);
    let mut response = response.map(|body| body.map_err(io::Error::other).boxed_unsync());
    let headers = response.headers_mut();
    let cache = if found_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    response
}

fn is_html<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}
