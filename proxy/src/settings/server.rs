//! Where the proxy listens, and for whom.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

/// The longest time that answers under way are given when the proxy is asked to stop.
pub const MAX_SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// Where the proxy listens, and for whom.
#[derive(Debug, Args)]
pub struct Server {
    /// Where to listen. Without authentication only loopback addresses are allowed.
    #[arg(
        long,
        env = "OUTCROP_LISTEN",
        default_value = "127.0.0.1:3001",
        value_name = "ADDR:PORT",
        help_heading = "Server"
    )]
    pub listen: SocketAddr,
    /// A folder with a page to serve, such as the dashboard's build.
    #[arg(long, env = "OUTCROP_WWW_DIR", value_name = "DIR", help_heading = "Server")]
    pub www: Option<PathBuf>,
    /// Origins whose pages may connect, besides the page served here; separated by commas.
    #[arg(
        long,
        env = "OUTCROP_ALLOWED_ORIGINS",
        value_delimiter = ',',
        default_value = "http://localhost:5173,http://127.0.0.1:5173",
        value_name = "ORIGINS",
        help_heading = "Server"
    )]
    pub allowed_origins: Vec<String>,
    /// Names under which the proxy is reached, as in the Host header, without a port; separated by commas. The names of this machine
    /// and the address it listens on are among them.
    #[arg(long, env = "OUTCROP_ALLOWED_HOSTS", value_delimiter = ',', value_name = "HOSTS", help_heading = "Server")]
    pub allowed_hosts: Vec<String>,
    /// The most sockets open at a time.
    #[arg(long, env = "OUTCROP_MAX_SOCKETS", default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    pub max_sockets: u32,
    /// The most sockets of one user.
    #[arg(long, env = "OUTCROP_MAX_SOCKETS_PER_USER", default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    pub max_sockets_per_user: u32,
    /// The most sockets of one organization.
    #[arg(long, env = "OUTCROP_MAX_SOCKETS_PER_ORGANIZATION", default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    pub max_sockets_per_organization: u32,
    /// How long answers under way may take when the proxy is asked to stop; at most 20 s, so that it ends within 30.
    #[arg(long, env = "OUTCROP_SHUTDOWN_GRACE", default_value = "20s", value_name = "TIME", value_parser = grace, help_heading = "Timers")]
    pub shutdown_grace: Duration,
}

fn grace(text: &str) -> Result<Duration, String> {
    let grace = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 5s"))?;
    if grace <= MAX_SHUTDOWN_GRACE { Ok(grace) } else { Err("it is at most 20s".to_owned()) }
}
