//! Telling a socket that one of the logs it follows has grown.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// A bell that a socket waits for and turns ring. Rings that nobody has heard yet are one.
#[derive(Debug, Default)]
pub struct Wake {
    rung: AtomicBool,
    waker: AtomicWaker,
}

impl Wake {
    /// Rings.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Ready once after each ring.
    pub fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.rung.swap(false, Ordering::AcqRel) {
            return Poll::Ready(());
        }
        self.waker.register(cx.waker());
        if self.rung.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_ring_before_anyone_waits_is_heard_once() {
        let wake = Wake::default();
        let mut cx = Context::from_waker(Waker::noop());
        wake.ring();
        wake.ring();
        assert_eq!(wake.poll_rung(&mut cx), Poll::Ready(()));
        assert_eq!(wake.poll_rung(&mut cx), Poll::Pending);
        wake.ring();
        assert_eq!(wake.poll_rung(&mut cx), Poll::Ready(()));
    }
}
