//! The demos in the browser: their pages and the package `taiinet`, served on this machine.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
};

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::{net::TcpListener, process::Command};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// Nothing comes from another host, and nothing goes to one but to the signallers.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
                      connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; worker-src 'self' blob:; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// What is served, and where.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pages")]
pub(crate) struct PagesArgs {
    /// Serve this folder's pages while the mesh is up (`cargo xtask demo` gives wasm/demos)
    #[arg(long, value_name = "DIR", requires = "packages", value_parser = folder_with("index.html"))]
    pages: Option<PathBuf>,

    /// The built package that the pages load from /taiinet/ (wasm/npm/dist)
    #[arg(long, value_name = "DIR", group = "packages", requires = "pages", value_parser = folder_with("index.js"))]
    package: Option<PathBuf>,

    /// The same, built by `cargo xtask wasm` when the check is done: that takes longer than all of it
    #[arg(long, value_name = "DIR", group = "packages", requires = "pages")]
    build_package: Option<PathBuf>,

    /// Serve them here, or on any free port if this one is taken
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7780")]
    http: SocketAddr,
}

impl PagesArgs {
    /// Whether there is anything to serve.
    pub(crate) fn are_given(&self) -> bool {
        self.pages.is_some()
    }

    /// Whether the package is built first.
    pub(crate) const fn are_to_be_built(&self) -> bool {
        self.build_package.is_some()
    }

    /// Builds the package, if it is to be built.
    ///
    /// # Errors
    /// Why there is none, with what the build said last.
    pub(crate) async fn build(&self) -> Result<(), String> {
        if !self.are_to_be_built() {
            return Ok(());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["xtask", "wasm"]).stdin(Stdio::null()).kill_on_drop(true);
        let output = build.output().await.map_err(|error| format!("cargo cannot run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(10).collect();
        Err(last.into_iter().rev().collect::<Vec<_>>().join("\n  "))
    }

    /// Serves until the runtime ends; the address to open, or none if there are no pages.
    pub(crate) async fn serve(
        &self,
        network: &str,
        signaller: &str,
    ) -> Result<Option<String>, String> {
        let package = self.package.as_ref().or(self.build_package.as_ref());
        let (Some(pages), Some(package)) = (&self.pages, package) else { return Ok(None) };
        let failed = |error| format!("cannot serve pages on {}: {error}; give --http", self.http);
        let listener = listen(self.http).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let site = site(pages, package, network, signaller);
        let own = address.ip();
        let site = site
            .layer(middleware::from_fn(move |request, next| refuse_strangers(own, request, next)));
        tokio::spawn(axum::serve(listener, site).into_future());
        Ok(Some(format!("http://{address}/")))
    }
}

/// A folder that holds this file; said at once, not by a page that stays empty.
fn folder_with(file: &'static str) -> impl Fn(&str) -> Result<PathBuf, String> + Clone {
    move |text| {
        let folder = PathBuf::from(text);
        if folder.join(file).is_file() {
            return Ok(folder);
        }
        Err(format!("it has no {file}; `cargo xtask demo` builds and gives what is needed"))
    }
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind((address.ip(), 0)).await
        }
        bound => bound,
    }
}

/// Answers only requests that name this machine. A page of another site whose name suddenly leads to
/// this machine (DNS rebinding) would otherwise be of one origin with ours, and read all of it.
async fn refuse_strangers(own: IpAddr, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        _ => None,
    };
    let named = |authority: &Authority| is_ours(authority.host(), own);
    if host.is_some_and(|host| named(&host)) && request.uri().authority().is_none_or(named) {
        return next.run(request).await;
    }
    let why = "This server answers to `localhost` and to its own address only.\n";
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

/// Whether a host is this machine, for a server that is bound to `own`. An address never leads
/// elsewhere, as a name may.
fn is_ours(host: &str, own: IpAddr) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address == own || own.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The pages, the package, and what the pages need to know to join.
fn site(pages: &Path, package: &Path, network: &str, signaller: &str) -> Router {
    let config = json!({ "network": network, "signallers": [signaller] });
    let always = |name: HeaderName, value| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/config.json", get(async || Json(config)))
        .nest_service("/taiinet", ServeDir::new(package))
        .fallback_service(ServeDir::new(pages))
        // A page that is being edited, or of another run on this port, is never shown from a cache.
        .layer(always(header::CACHE_CONTROL, "no-cache"))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::CONTENT_SECURITY_POLICY, POLICY))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A site with a page, a package, and a file beside them that must not be served.
    struct Site {
        folder: tempfile::TempDir,
        url: String,
    }

    impl Site {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = |name: &str| folder.path().join(name);
            for (name, text) in [
                ("secret", "secret"),
                ("pages/index.html", "<!doctype html>"),
                ("pages/style.css", "a{}"),
                ("pages/quakes/index.html", "quakes"),
                ("pages/quakes/land.json", "{}"),
                ("package/index.js", "export {}"),
                ("package/taiinet.wasm", "wasm"),
            ] {
                let file = path(name);
                fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
                fs::write(file, text).expect("a file");
            }
            let args = PagesArgs {
                pages: Some(path("pages")),
                package: Some(path("package")),
                build_package: None,
                http: SocketAddr::from(([127, 0, 0, 1], 0)),
            };
            let served = args.serve("quakes", "ws://127.0.0.1:7700").await;
            let url = served.expect("a free port").expect("pages");
            Self { folder, url }
        }

        fn address(&self) -> &str {
            self.url.trim_start_matches("http://").trim_end_matches('/')
        }

        /// Head and body of the answer. The path goes out as it is, which no HTTP client would do.
        async fn ask(&self, method: &str, path: &str) -> (String, String) {
            self.ask_as(method, path, &format!("Host: {}\r\n", self.address())).await
        }

        async fn ask_as(&self, method: &str, path: &str, hosts: &str) -> (String, String) {
            let mut stream = tokio::net::TcpStream::connect(self.address()).await.expect("served");
            let request = format!("{method} {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("answered");
            let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
            (head.to_lowercase(), body.to_owned())
        }
    }

    #[tokio::test]
    async fn files_come_with_their_type_and_are_not_cached() {
        let site = Site::new().await;
        for (path, kind, body) in [
            ("/", "text/html", "<!doctype html>"),
            ("/style.css", "text/css", "a{}"),
            ("/quakes/", "text/html", "quakes"),
            ("/quakes/land.json", "application/json", "{}"),
            ("/taiinet/index.js", "text/javascript", "export {}"),
            ("/taiinet/taiinet.wasm", "application/wasm", "wasm"),
            (
                "/config.json",
                "application/json",
                r#"{"network":"quakes","signallers":["ws://127.0.0.1:7700"]}"#,
            ),
        ] {
            let (head, got) = site.ask("GET", path).await;
            assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
            assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
            assert!(head.contains("cache-control: no-cache"), "{path}: {head}");
            assert!(head.contains("content-security-policy: default-src 'self'"), "{path}: {head}");
            assert_eq!(got, body, "{path}");
            let (head_only, nothing) = site.ask("HEAD", path).await;
            assert!(head_only.starts_with("http/1.1 200"), "{path}: {head_only}");
            assert!(head_only.contains(&format!("content-type: {kind}")), "{path}: {head_only}");
            assert_eq!(nothing, "", "{path}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_to_be_had() {
        let site = Site::new().await;
        assert!(site.folder.path().join("secret").is_file());
        for path in [
            "/secret",
            "/../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/quakes/../../secret",
            "/taiinet/../secret",
            "/taiinet/..%2Fsecret",
            "/taiinet//secret",
            "/..\\secret",
            "/%00",
        ] {
            let (head, body) = site.ask("GET", path).await;
            assert!(head.starts_with("http/1.1 4"), "{path}: {head}");
            assert!(!body.contains("secret"), "{path}");
        }
        for method in ["POST", "PUT", "DELETE"] {
            for path in ["/", "/taiinet/index.js", "/config.json"] {
                let (head, _) = site.ask(method, path).await;
                assert!(head.starts_with("http/1.1 405"), "{method} {path}: {head}");
            }
        }
    }

    #[tokio::test]
    async fn a_site_whose_name_leads_here_gets_nothing() {
        let site = Site::new().await;
        let port = site.address().rsplit(':').next().expect("a port");
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"] {
            for host in [host.to_owned(), format!("{host}:{port}")] {
                let (head, _) = site.ask_as("GET", "/", &format!("Host: {host}\r\n")).await;
                assert!(head.starts_with("http/1.1 200"), "{host}: {head}");
            }
        }
        let own = format!("Host: {}\r\n", site.address());
        for hosts in [
            format!("Host: evil.example:{port}\r\n"),
            format!("Host: localhost.evil.example:{port}\r\n"),
            format!("Host: 127.0.0.1.evil.example:{port}\r\n"),
            "Host: 192.0.2.1\r\n".to_owned(),
            "Host: localhost@evil.example\r\n".to_owned(),
            "Host: \r\n".to_owned(),
            format!("{own}Host: evil.example\r\n"),
            String::new(),
        ] {
            for path in ["/", "/config.json", "/taiinet/index.js", "/nothing"] {
                let (head, body) = site.ask_as("GET", path, &hosts).await;
                assert!(head.starts_with("http/1.1 4"), "{hosts}{path}: {head}");
                assert!(!head.starts_with("http/1.1 404"), "{hosts}{path}: {head}");
                assert!(!body.contains("quakes") && !body.contains("doctype"), "{hosts}{path}");
            }
        }
        let (head, _) = site.ask_as("GET", "http://evil.example/", &own).await;
        assert!(head.starts_with("http/1.1 421"), "{head}");
    }

    #[test]
    fn an_address_is_ours_if_it_is_bound() {
        let [lan, other] = [IpAddr::from([192, 0, 2, 7]), IpAddr::from([192, 0, 2, 8])];
        assert!(is_ours("192.0.2.7", lan) && !is_ours("192.0.2.7", other));
        assert!(is_ours("192.0.2.7", IpAddr::from([0, 0, 0, 0])));
        assert!(!is_ours("evil.example", IpAddr::from([0, 0, 0, 0])));
    }

    #[tokio::test]
    async fn nothing_can_change_where_a_page_takes_things_from() {
        let (head, _) = Site::new().await.ask("GET", "/").await;
        for rule in ["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
            assert!(head.contains(rule), "{head}");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_replaced_by_a_free_one() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = taken.local_addr().expect("its address");
        let other = listen(address).await.expect("a free port").local_addr().expect("its address");
        assert_eq!(other.ip(), address.ip());
        assert_ne!(other.port(), address.port());
    }
}
