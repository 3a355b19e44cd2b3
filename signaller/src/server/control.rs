//! The control socket: what operators are told, with names, to those who may use our files.
//!
//! A socket in the file system, which only its owner and root may connect to (unix(7)).

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use tokio::net::UnixListener;

use super::{shared::Shared, visit::Visit, visitor::Visitor};

/// A socket at its place, which is removed with it.
#[derive(Debug)]
pub(super) struct Control {
    listener: UnixListener,
    _place: Place,
}

#[derive(Debug)]
struct Place(PathBuf);

impl Control {
    /// Listens there. A socket that a signaller which was killed has left is replaced; nothing else is.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                let says = "another program answers there already";
                return Err(io::Error::new(io::ErrorKind::AddrInUse, says));
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let place = Place(path.to_owned());
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, _place: place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Shared {
    /// Takes in owners until it is stopped.
    pub(super) async fn listen_to_owners(self: Arc<Self>, control: Control) {
        while let Some(accepted) = self.next(control.listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let slot = self.operators.enter_for_another();
                    let visit = Visit { shared: self.clone(), slot, came: Instant::now() };
                    self.tasks.spawn(visit.speak(stream, Visitor::Owner));
                }
                Err(error) => self.not_accepted(&error).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control");
        // As a program leaves it that is killed.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        let control = Control::bind(&path).expect("it is replaced");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = Control::bind(&path).expect_err("one is there");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(control);
        assert!(!path.exists(), "it goes with its signaller");
        fs::write(&path, "something of value").expect("written");
        assert!(Control::bind(&path).is_err());
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "something of value");
    }
}
