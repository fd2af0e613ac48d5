//! A chronyd of one's own: its configuration, its process, its reference clock.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};

/// Where it is, beside `PATH`.
const PLACES: [&str; 3] = ["/usr/sbin/chronyd", "/usr/local/sbin/chronyd", "/sbin/chronyd"];
const MISSING: &str = "chronyd is not installed, and without it nothing is checked here: \
                       install the package chrony (Debian: apt-get install chrony)";
/// How often the reference clock speaks.
const SAMPLE_EVERY: Duration = Duration::from_millis(20);

/// A running server; ends with its owner.
pub(super) struct Chronyd {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

/// A reference clock that says what the server must serve; silent once dropped.
pub(super) struct Shift {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Chronyd {
    /// What is installed; an error when nothing is.
    pub(super) fn version() -> Result<()> {
        let output = Command::new(program()?).arg("--version").output().context(MISSING)?;
        print!("ntp: {}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    /// Serves this machine's clock on a free port of the loopback interface, without touching it.
    pub(super) fn start() -> Result<Self> {
        let folder = tempfile::tempdir().context("a folder for chronyd")?;
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let configuration = format!(
            "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\nbindcmdaddress /\npidfile {}\n\
             local stratum 10\nmaxslewrate 100000\ncorrtimeratio 1\n\
             refclock SOCK {} poll 0 dpoll -4 filter 4 refid TEST trust\n",
            at("pid"),
            socket(folder.path()).display(),
        );
        std::fs::write(at("chrony.conf"), configuration)?;
        let mut command = Command::new(program()?);
        // -x: do not control the clock; -d: stay, and log to stderr; -U: root or not.
        command.args(["-x", "-d", "-U", "-f", &at("chrony.conf")]);
        if rustix::process::geteuid().is_root() {
            command.args(["-u", "root"]);
        }
        let log = std::fs::File::create(at("log"))?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn().context(MISSING)?;
        Ok(Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), folder })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, the server is told that true time is `ahead_ns` ahead of this machine's clock.
    pub(super) fn shift(&self, ahead_ns: i64) -> Result<Shift> {
        let path = socket(self.folder.path());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reference = UnixDatagram::unbound()?;
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // chronyd may not have made its socket yet, or be gone: then there is nobody to tell.
                let told = sample(ahead_ns).is_some_and(|bytes| reference.send_to(&bytes, &path).is_ok());
                std::thread::sleep(if told { SAMPLE_EVERY } else { SAMPLE_EVERY * 5 });
            }
        });
        Ok(Shift { stop, thread: Some(thread) })
    }
}

impl Drop for Chronyd {
    fn drop(&mut self) {
        // A process that has ended already has no more to give.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The thread holds nothing that could be left half done.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("reference.sock")
}

fn program() -> Result<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|it| it.join("chronyd")).find(|it| it.is_file()));
    match in_path.or_else(|| PLACES.iter().map(PathBuf::from).find(|it| it.is_file())) {
        Some(program) => Ok(program),
        None => bail!(MISSING),
    }
}

/// One message of a SOCK reference clock (chrony's `refclock_sock.c`): a `timeval` of this machine's clock, the offset
/// of true time in seconds, pulse, leap, padding, and a magic number.
fn sample(ahead_ns: i64) -> Option<Vec<u8>> {
    let now = SystemTime::UNIX_EPOCH.elapsed().ok()?;
    let mut bytes = Vec::with_capacity(40);
    bytes.extend(i64::try_from(now.as_secs()).ok()?.to_ne_bytes());
    bytes.extend(i64::from(now.subsec_micros()).to_ne_bytes());
    let size = Duration::from_nanos(ahead_ns.unsigned_abs()).as_secs_f64();
    bytes.extend((if ahead_ns < 0 { -size } else { size }).to_ne_bytes());
    bytes.extend([0; 12]);
    bytes.extend(0x534f_434b_u32.to_ne_bytes());
    Some(bytes)
}
