//! Where a key file is written: links, pipes, devices, descriptors.
#![cfg(unix)]

use std::{
    io::{Read, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{FileTypeExt, symlink},
    },
    path::Path,
    process::Command,
};

use super::*;

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo is there");
    assert!(made.success(), "{made}");
}

fn is_pipe(path: &Path) -> bool {
    fs::symlink_metadata(path).expect("it is there").file_type().is_fifo()
}

#[test]
fn links_are_followed_when_replacing_and_respected_when_not() {
    let folder = folder();
    let (file, link) = (folder.path().join("real.key"), folder.path().join("link.key"));
    save(&file, &identity(1), None, Overwrite::Never).expect("saved");
    symlink("real.key", &link).expect("a link");
    let refused = save(&link, &identity(2), None, Overwrite::Never);
    assert!(matches!(refused, Err(KeyFileError::Exists)));
    // Otherwise the old secret would stay behind the link.
    save(&link, &identity(2), None, Overwrite::Replace).expect("saved");
    assert!(link.is_symlink());
    assert_eq!(load(&file, never).expect("a key").peer_id(), identity(2).peer_id());
    // A link to nowhere is something that exists.
    let dangling = folder.path().join("dangling.key");
    symlink("nowhere", &dangling).expect("a link");
    let refused = save(&dangling, &identity(2), None, Overwrite::Never);
    assert!(matches!(refused, Err(KeyFileError::Exists)));
    // What may be replaced is made where the link leads.
    save(&dangling, &identity(3), None, Overwrite::Replace).expect("saved");
    assert!(dangling.is_symlink() && folder.path().join("nowhere").is_file());
    let circle = folder.path().join("circle.key");
    symlink("circle.key", &circle).expect("a link");
    let refused = save(&circle, &identity(2), None, Overwrite::Replace);
    assert!(matches!(refused, Err(KeyFileError::Write(_))), "{refused:?}");
    assert!(circle.is_symlink());
}

/// As a reader at the other end sees it: once, whole, with or without leave to overwrite.
#[test]
fn a_pipe_is_written_into_and_stays_one() {
    let folder = folder();
    let (pipe_itself, link) = (folder.path().join("pipe"), folder.path().join("link"));
    pipe(&pipe_itself);
    symlink("pipe", &link).expect("a link");
    for (path, overwrite) in [
        (&pipe_itself, Overwrite::Never),
        (&pipe_itself, Overwrite::Replace),
        (&link, Overwrite::Never),
        (&link, Overwrite::Replace),
    ] {
        let from = pipe_itself.clone();
        let reader = std::thread::spawn(move || fs::read(from).expect("it can be read"));
        check_target(path, overwrite).expect("it may be written");
        save(path, &identity(1), None, overwrite).expect("saved");
        let got = KeyFile::parse(&reader.join().expect("no panic")).expect("a key file");
        assert_eq!(got.unlock(never).expect("a key").peer_id(), identity(1).peer_id());
        assert!(is_pipe(&pipe_itself), "{overwrite:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing else is left");
}

/// A device of our own, if we may make one: the system's would be lost if this failed.
#[test]
fn a_device_is_written_into_and_stays_one() {
    let folder = folder();
    let device = folder.path().join("null");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: only root makes devices");
        return;
    }
    for overwrite in [Overwrite::Never, Overwrite::Replace] {
        save(&device, &identity(1), None, overwrite).expect("saved");
        let kind = fs::symlink_metadata(&device).expect("it is there").file_type();
        assert!(kind.is_char_device(), "{overwrite:?}");
    }
}

/// Of an open file, what others have written into it stays.
#[cfg(target_os = "linux")]
#[test]
fn a_descriptor_is_written_into_whatever_it_is_of() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "before\n").expect("written");
    let file = fs::OpenOptions::new().append(true).open(&path).expect("open");
    let link = folder.path().join("link");
    symlink(format!("/dev/fd/{}", file.as_raw_fd()), &link).expect("a link");
    let numbered = format!("/proc/self/fd/{}", file.as_raw_fd());
    for (target, overwrite) in
        [(Path::new(&numbered), Overwrite::Never), (&link, Overwrite::Replace)]
    {
        write(target, b"more\n", overwrite, Access::OwnerOnly).expect("written");
    }
    assert_eq!(fs::read_to_string(&path).expect("text"), "before\nmore\nmore\n");

    let (mut reader, writer) = io::pipe().expect("a pipe");
    let target = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let mut file =
        NewFile::create(target.as_ref(), Overwrite::Never, Access::Everyone).expect("it is open");
    assert!(!file.is_whole());
    file.write_all(b"through").expect("written");
    file.finish().expect("finished");
    drop(writer);
    let mut got = String::new();
    reader.read_to_string(&mut got).expect("text");
    assert_eq!(got, "through");
}

/// Who may write into the folder could have put it there, to read the key.
#[test]
fn a_pipe_of_somebody_else_needs_leave_to_overwrite() {
    let folder = folder();
    let path = folder.path().join("pipe");
    pipe(&path);
    if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
        eprintln!("skipped: only root gives files away");
        return;
    }
    let refused = save(&path, &identity(1), None, Overwrite::Never);
    assert!(matches!(refused, Err(KeyFileError::Exists)), "{refused:?}");
}
