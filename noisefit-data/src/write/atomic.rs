//! Files that are either complete or not there.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::identity::{destination, folder_of};
use crate::error::DataError;

/// Writes a file so that its name never stands for half of it: what `write` writes goes to a temporary file in the same
/// folder, which takes the name (and the place of an older file, and its permissions) when it is complete and on the disk. On
/// any failure, also of `write`, the older file stays as it was. A symbolic link goes on pointing where it points, and what is
/// there is written, whether it exists yet or not; a file that is read-only, or that this user may not write to, is refused.
///
/// Something that is not a regular file, such as a named pipe, is written to as it is, and so is `/dev/stdout`, whatever it is.
///
/// # Errors
/// [`DataError::Write`] with the path: a folder that does not exist or may not be written to, a full disk.
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.json");
/// noisefit_data::write::write_atomically(&path, |file| file.write_all(b"{}"))?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DataError> {
    let mut file = AtomicFile::create(path)?;
    write(&mut file).map_err(|source| DataError::Write { path: path.to_owned(), source })?;
    file.finish()
}

/// Whether a file could be written, told before the work whose result it is to hold; leaves nothing, and does not disturb who
/// reads from a pipe.
///
/// # Errors
/// [`DataError::Write`].
pub fn check_writable(path: &Path) -> Result<(), DataError> {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Ok(()),
        _ => AtomicFile::create(path).map(drop),
    }
}

/// Removes the temporary files of what is being written: for a program that ends at once.
pub fn remove_unfinished() {
    for path in unfinished().drain(..) {
        // It may be gone, and there is nobody left to tell.
        let _ = std::fs::remove_file(path);
    }
}

/// The temporary files that have not taken their names yet.
fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that takes its name when it is finished and leaves nothing if it is dropped before.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Beside(Box<BufWriter<Beside>>),
    Itself(BufWriter<File>),
}

impl AtomicFile {
    pub fn create(path: &Path) -> Result<AtomicFile, DataError> {
        let failed = |source| DataError::Write { path: path.to_owned(), source };
        if let Some(stream) = standard_stream(path).map_err(failed)? {
            return Ok(AtomicFile { path: path.to_owned(), target: Target::Itself(BufWriter::new(stream)) });
        }
        let target = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
            Ok(metadata) if !metadata.is_file() => {
                Target::Itself(BufWriter::new(File::options().write(true).open(path).map_err(failed)?))
            }
            Ok(metadata) => {
                Target::Beside(Box::new(BufWriter::new(Beside::new(path, Some(metadata)).map_err(failed)?)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Target::Beside(Box::new(BufWriter::new(Beside::new(path, None).map_err(failed)?)))
            }
            // A circle of links, or a folder on the way that is none.
            Err(error) => return Err(failed(error)),
        };
        Ok(AtomicFile { path: path.to_owned(), target })
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<(), DataError> {
        let finished = match self.target {
            Target::Itself(mut file) => file.flush(),
            Target::Beside(file) => {
                file.into_inner().map_err(io::IntoInnerError::into_error).and_then(Beside::take_name)
            }
        };
        finished.map_err(|source| DataError::Write { path: self.path, source })
    }
}

/// Standard output or standard error, where that is what a path names: a shell may have sent them to a file, in which others
/// write, too, and whose place another file must not take.
#[cfg(unix)]
fn standard_stream(path: &Path) -> io::Result<Option<File>> {
    use std::os::fd::AsFd;
    let stream = match path.to_str() {
        Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => io::stdout().as_fd().try_clone_to_owned(),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => io::stderr().as_fd().try_clone_to_owned(),
        _ => return Ok(None),
    };
    stream.map(|stream| Some(File::from(stream)))
}

#[cfg(not(unix))]
fn standard_stream(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Beside(file) => file.write(bytes),
            Target::Itself(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Beside(file) => file.flush(),
            Target::Itself(file) => file.flush(),
        }
    }
}

/// A temporary file in the folder of what is to be written: where a symbolic link points, which goes on pointing there.
#[derive(Debug)]
struct Beside {
    /// None once it has its name.
    file: Option<NamedTempFile>,
    destination: PathBuf,
    /// Of the older file.
    before: Option<Metadata>,
}

impl Beside {
    fn new(path: &Path, before: Option<Metadata>) -> io::Result<Self> {
        if before.as_ref().is_some_and(|before| before.permissions().readonly()) {
            let why = "the file is read-only; name another, or allow writing to it";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        // Whoever may write into a folder can take a file's place there, also that of one that others alone may write to.
        if before.is_some()
            && let Err(error) = File::options().write(true).open(path)
            && error.kind() == io::ErrorKind::PermissionDenied
        {
            return Err(io::Error::new(error.kind(), "no permission to write to the file; name another"));
        }
        let destination = destination(path);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".noisefit-");
        // A temporary file is private; this one is to have the permissions of any other new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let folder = folder_of(&destination);
        // The temporary file's name means nothing to the user.
        let file = builder.tempfile_in(folder).map_err(|error| match error.kind() {
            kind @ io::ErrorKind::NotFound => io::Error::new(kind, format!("there is no folder {}", folder.display())),
            kind @ io::ErrorKind::PermissionDenied => {
                io::Error::new(kind, format!("no permission to write into the folder {}", folder.display()))
            }
            _ => error,
        })?;
        unfinished().push(file.path().to_owned());
        Ok(Beside { file: Some(file), destination, before })
    }

    /// Takes the place of the older file, with its permissions, once all is on the disk.
    fn take_name(mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        // A name of its own for what is forgotten, whether it is taken or the file is removed.
        let temporary = file.path().to_owned();
        let taken = (|| {
            // Some file systems find out only now that the disk is full.
            fault::point("fsync")?;
            file.as_file().sync_all()?;
            if let Some(before) = &self.before {
                keep_owner(file.as_file(), before);
                file.as_file().set_permissions(before.permissions())?;
            }
            fault::point("rename")?;
            file.persist(&self.destination).map(drop).map_err(|error| error.error)
        })();
        unfinished().retain(|path| *path != temporary);
        taken
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            unfinished().retain(|path| path != file.path());
        }
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::point("write")?;
        self.file.as_mut().map_or_else(|| Err(io::ErrorKind::NotFound.into()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The new file is to be whose the older one was, where that is for us to say.
fn keep_owner(file: &File, before: &Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = |metadata: &Metadata| (metadata.uid(), metadata.gid());
        if file.metadata().is_ok_and(|now| own(&now) != own(before)) {
            // Only the superuser may; for everybody else a file that was written is the writer's.
            let _ = std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, before);
}

/// Where tests make the system fail.
#[cfg(not(test))]
mod fault {
    #[inline(always)]
    pub fn point(_: &str) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod fault {
    use std::cell::RefCell;
    use std::io;

    thread_local! {
        /// What fails, and after how many that do not.
        static NEXT: RefCell<Option<(&'static str, usize)>> = const { RefCell::new(None) };
    }

    /// The operation of this kind after `count` others fails, once, on this thread.
    pub fn after(kind: &'static str, count: usize) {
        NEXT.replace(Some((kind, count)));
    }

    /// Whether it has failed; nothing fails from now on.
    pub fn has_come() -> bool {
        NEXT.take().is_none()
    }

    pub fn point(kind: &str) -> io::Result<()> {
        NEXT.with_borrow_mut(|next| match next {
            Some((own, 0)) if *own == kind => {
                *next = None;
                Err(io::Error::other(format!("the {kind} failed")))
            }
            Some((own, left)) if *own == kind => {
                *left -= 1;
                Ok(())
            }
            _ => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_older_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_atomically(&path, |file| file.write_all(b"first")).unwrap();
        let failing = write_atomically(&path, |file| {
            file.write_all(b"second")?;
            Err(io::Error::other("no more"))
        });
        let message = failing.unwrap_err().to_string();
        assert_eq!(message, format!("cannot write {}: no more", path.display()));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["out"]);
        write_atomically(&path, |file| file.write_all(b"third")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no").join("out");
        let message = write_atomically(&path, |_| Ok(())).unwrap_err().to_string();
        let no = folder.path().join("no");
        assert_eq!(message, format!("cannot write {}: there is no folder {}", path.display(), no.display()));
        let message = write_atomically(folder.path(), |_| Ok(())).unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot write {}: is a directory", folder.path().display())), "{message}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let message = write_atomically(Path::new("/dev/full"), |file| file.write_all(b"x")).unwrap_err().to_string();
        assert!(message.starts_with("cannot write /dev/full: No space left on device"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn links_permissions_and_read_only_files() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (near, far) = (folder.path().join("near"), folder.path().join("far"));
        std::fs::create_dir(&near).unwrap();
        std::fs::create_dir(&far).unwrap();
        // A link to what is not there yet, by way of another.
        symlink("../far/out", near.join("second")).unwrap();
        symlink("second", near.join("first")).unwrap();
        write_atomically(&near.join("first"), |out| out.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(far.join("out")).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(near.join("first")).unwrap().is_symlink());
        // A circle of links is no file, and nothing is written.
        symlink("round", near.join("round")).unwrap();
        assert!(write_atomically(&near.join("round"), |out| out.write_all(b"x")).is_err());
        assert_eq!(names(&near).len(), 3);
        let path = far.join("out");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        write_atomically(&path, |out| out.write_all(b"newer")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o440)).unwrap();
        let message = write_atomically(&path, |out| out.write_all(b"newest")).unwrap_err().to_string();
        assert!(message.contains("the file is read-only"), "{message}");
        assert_eq!(std::fs::read(&path).unwrap(), b"newer");
        assert_eq!(names(&far), ["out"]);
    }

    #[test]
    fn whatever_fails_the_older_file_stays_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, b"old").unwrap();
        // More than the buffer holds, so that there are several writes.
        let content = vec![b'x'; 40_000];
        let mut failures = 0;
        for kind in ["write", "fsync", "rename"] {
            for count in 0.. {
                fault::after(kind, count);
                let written =
                    write_atomically(&path, |file| content.chunks(5_000).try_for_each(|part| file.write_all(part)));
                if !fault::has_come() {
                    written.unwrap();
                    assert_eq!(std::fs::read(&path).unwrap(), content);
                    std::fs::write(&path, b"old").unwrap();
                    break;
                }
                let message = written.unwrap_err().to_string();
                assert_eq!(message, format!("cannot write {}: the {kind} failed", path.display()));
                assert_eq!(std::fs::read(&path).unwrap(), b"old");
                assert_eq!(names(folder.path()), ["out"]);
                failures += 1;
            }
        }
        assert!(failures >= 7, "{failures}");
        assert!(!unfinished().iter().any(|path| path.starts_with(folder.path())));
    }

    #[test]
    fn what_is_unfinished_is_known_until_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = AtomicFile::create(&folder.path().join("out")).unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        // Others that are being written by other tests are theirs.
        let own: Vec<PathBuf> = unfinished().iter().filter(|path| path.starts_with(folder.path())).cloned().collect();
        assert_eq!(own.len(), 1);
        drop(file);
        assert!(names(folder.path()).is_empty());
    }
}
