//! The real client machine and the real server machine on virtual time, with seeded faults between them.
//!
//! `OUTCROP_SIM_SCENARIOS` and `OUTCROP_SIM_SEED` change how much is run and which; `OUTCROP_SIM_ONE=seed` runs one scenario alone and
//! prints every step.

mod disk;
mod link;
mod oracle;
mod page;
mod server;
mod upstream;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use oracle::Counts;
use world::World;

/// Scenarios of a normal run: enough for [`CUTS`].
const SCENARIOS: u64 = 11_500;

/// What a normal run has to come to.
const CUTS: u64 = 1_000_000;

const SEED: u64 = 20_261_123;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn scenario(seed: u64, trace: bool) -> Counts {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async { World::new(seed, trace).run().await })
}

#[test]
fn nothing_is_lost_doubled_or_asked_twice() {
    if let Some(seed) = setting("OUTCROP_SIM_ONE") {
        println!("simulation: {:?} in scenario {seed}", scenario(seed, true));
        return;
    }
    let asked = setting("OUTCROP_SIM_SCENARIOS");
    let (first, scenarios) = (setting("OUTCROP_SIM_SEED").unwrap_or(SEED), asked.unwrap_or(SCENARIOS));
    let all = run(first, scenarios);
    let Counts { cuts, answers, whole, stopped, failed, followed, reloads, restarts, crashes, calls } = all;
    println!(
        "simulation: {cuts} cuts, {answers} answers shown ({whole} whole, {stopped} stopped, {failed} failed; {followed} followed \
         from another tab or after a reload), {reloads} reloads, {restarts} restarts, {crashes} crashes, {calls} calls, \
         {scenarios} scenarios from seed {first}"
    );
    if asked.is_none() {
        assert!(cuts >= CUTS, "SCENARIOS are too few for {CUTS} cuts");
        let every_kind = [whole, stopped, failed, followed, reloads, restarts, crashes];
        assert!(every_kind.iter().all(|&count| count > 100), "every kind of thing happens often: {every_kind:?}");
    }
}

/// Runs scenarios on every core. The first that fails ends the test with its seed.
fn run(first: u64, scenarios: u64) -> Counts {
    let (next, all) = (AtomicU64::new(first), Mutex::new(Counts::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + scenarios {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| scenario(seed, false))) {
                Ok(counts) => all.lock().expect("the counts").add(&counts),
                Err(panic) => {
                    eprintln!("simulation: replay with OUTCROP_SIM_ONE={seed}");
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    resume_unwind(panic);
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    all.into_inner().expect("the counts")
}
