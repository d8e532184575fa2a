//! What the browser says of its network and of the page's visibility. In a worker there is no page, elsewhere perhaps neither.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, EventTarget};

/// Listeners, removed when this is dropped.
pub(crate) struct Environment {
    listened: Vec<(EventTarget, &'static str)>,
    listener: Function,
}

impl Environment {
    /// Listens, and says whether there is a network now.
    pub(crate) fn listen(listener: &Function) -> (Self, bool) {
        let mut listened = Vec::new();
        let global = js_sys::global();
        if property(&global, "addEventListener").is_function() {
            let global: &EventTarget = global.unchecked_ref();
            listened.extend([(global.clone(), "online"), (global.clone(), "offline")]);
        }
        if let Some(document) = document() {
            let document: EventTarget = document.unchecked_into();
            listened.extend([(document.clone(), "visibilitychange"), (document, "resume")]);
            let window: &EventTarget = global.unchecked_ref();
            listened.extend([(window.clone(), "pageshow"), (window.clone(), "focus")]);
        }
        for (target, kind) in &listened {
            let _ = target.add_event_listener_with_callback(kind, listener);
        }
        let online = property(&property(&global, "navigator"), "onLine") != JsValue::FALSE;
        (Self { listened, listener: listener.clone() }, online)
    }

    /// Whether a person may be looking.
    pub(crate) fn is_visible() -> bool {
        document().is_some_and(|document| !document.hidden())
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (target, kind) in &self.listened {
            let _ = target.remove_event_listener_with_callback(kind, &self.listener);
        }
    }
}

fn document() -> Option<Document> {
    let document = property(&js_sys::global(), "document");
    document.is_object().then(|| document.unchecked_into())
}

/// A property of `object`; undefined where there is neither.
fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}
