//! The command `outcrop-proxy`.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use outcrop_proxy::{
    app::{App, create_table},
    auth::mint::mint,
    check::check,
    observe::{Observe, logs, panics},
    settings::{Cli, Command, Dynamodb, Mint, Serve, Tools, Usage},
    sources::Sources,
    tools,
    usage::usage,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// How long what is being written may take when all else has ended.
const LAST_WRITE_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    // Before there are threads: it changes the environment.
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(dotenvy::Error::Io(error)) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return fail(&format!("the .env file cannot be read: {error}")),
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the system gives no threads ({error}): raise its limits")),
    };
    let mut observe = Observe::default();
    let code = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve(&settings, &mut observe).await,
            Command::Check(upstream) if check(&upstream).await => ExitCode::SUCCESS,
            Command::Check(_) => ExitCode::FAILURE,
            Command::CreateTable(settings) => make_table(&settings).await,
            Command::Usage(settings) => tell_usage(&settings).await,
            Command::Tools(settings) => tell_tools(&settings).await,
            Command::Token(settings) => make_token(&settings),
        }
    });
    // Metrics may wait for somebody who does not read them.
    runtime.shutdown_timeout(LAST_WRITE_TIMEOUT);
    // After every task, since each may have something to tell.
    observe.close();
    code
}

/// Serves; `observe` is who is told of it.
async fn serve(settings: &Serve, observe: &mut Observe) -> ExitCode {
    if let Err(error) = logs::init(&settings.observe) {
        return fail(&format!("--log (OUTCROP_LOG) is no filter ({error}): write info, or outcrop_proxy=debug"));
    }
    panics::install_hook();
    let app = match App::start(settings).await {
        Ok(app) => app,
        Err(error) => return fail(&error.to_string()),
    };
    *observe = app.observe().clone();
    // Before anybody hears that it listens, and may ask it to stop.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("the system takes no signal handlers: raise its limits");
    };
    if app.emulator().is_some() {
        println!(
            "DEMO MODE: answers come from the built-in emulator, not from Bedrock. Set AWS credentials and AWS_REGION to talk to Claude."
        );
    }
    println!("answers come from {}, model {}", app.answers_from(), settings.upstream.model);
    println!("{}", app.authentication());
    if let Some(addr) = app.metrics_addr() {
        println!("metrics are at http://{addr}/metrics");
    }
    println!("listening on {}", app.url());
    if settings.server.www.is_some() {
        println!("open that in a browser; Ctrl-C stops the proxy");
    }
    let (stop, stopped) = oneshot::channel();
    let asked_twice = async {
        asked_to_stop(&mut interrupt, &mut terminate).await;
        let _ = stop.send(());
        asked_to_stop(&mut interrupt, &mut terminate).await;
    };
    let stopped = async {
        let _ = stopped.await;
    };
    tokio::select! {
        () = app.run(stopped) => ExitCode::SUCCESS,
        () = asked_twice => fail("asked to stop twice: answers under way were dropped"),
    }
}

async fn make_table(settings: &Dynamodb) -> ExitCode {
    match create_table(settings).await {
        Ok(true) => println!("the DynamoDB table {} is made", settings.table),
        Ok(false) => println!("the DynamoDB table {} was there; it is as it should be", settings.table),
        Err(error) => return fail(&error.to_string()),
    }
    ExitCode::SUCCESS
}

async fn tell_usage(settings: &Usage) -> ExitCode {
    match usage(settings, (Sources::system().now)()).await {
        // Whoever has read enough closes the pipe.
        Ok(report) => match std::io::stdout().write_all(&report) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                fail(&format!("the report cannot be written: {error}"))
            }
            _ => ExitCode::SUCCESS,
        },
        Err(text) => fail(&text),
    }
}

async fn tell_tools(settings: &Tools) -> ExitCode {
    match tools::tell(settings).await {
        Ok(told) => print!("{told}"),
        Err(error) => return fail(&error.to_string()),
    }
    ExitCode::SUCCESS
}

fn make_token(settings: &Mint) -> ExitCode {
    let sources = Sources::system();
    match mint(settings, (sources.now)(), (sources.unique)()) {
        Ok(token) => println!("{token}"),
        Err(error) => return fail(&error.to_string()),
    }
    ExitCode::SUCCESS
}

async fn asked_to_stop(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("outcrop-proxy: {text}");
    ExitCode::FAILURE
}
