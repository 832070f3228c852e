//! Files that are either complete or not there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::DataError;

/// Writes a file so that its name never stands for half of it: what `write` writes goes to a temporary file in the same
/// folder, which takes the name (and the place of an older file) when it is complete and on the disk. On any failure,
/// also of `write`, the older file stays as it was.
///
/// Something that is not a regular file, such as `/dev/stdout` or a named pipe, is written to as it is.
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

/// Whether a file could be written, told before the work whose result it is to hold; leaves nothing.
///
/// # Errors
/// [`DataError::Write`].
pub fn check_writable(path: &Path) -> Result<(), DataError> {
    AtomicFile::create(path).map(drop)
}

/// A file that takes its name when it is finished and leaves nothing if it is dropped before.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Beside(BufWriter<NamedTempFile>),
    Itself(BufWriter<File>),
}

impl AtomicFile {
    pub fn create(path: &Path) -> Result<AtomicFile, DataError> {
        let failed = |source| DataError::Write { path: path.to_owned(), source };
        let target = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
            Ok(metadata) if !metadata.is_file() => {
                Target::Itself(BufWriter::new(File::options().write(true).open(path).map_err(failed)?))
            }
            _ => Target::Beside(BufWriter::new(beside(path).map_err(failed)?)),
        };
        Ok(AtomicFile { path: path.to_owned(), target })
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<(), DataError> {
        let finished = match self.target {
            Target::Itself(mut file) => file.flush(),
            Target::Beside(file) => move_to(file, &self.path),
        };
        finished.map_err(|source| DataError::Write { path: self.path, source })
    }
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

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".noisefit-");
    // A temporary file is private; this one is to have the permissions of any other new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The temporary file's name means nothing to the user.
    builder.tempfile_in(folder).map_err(|error| match error.kind() {
        kind @ io::ErrorKind::NotFound => io::Error::new(kind, format!("there is no folder {}", folder.display())),
        kind @ io::ErrorKind::PermissionDenied => {
            io::Error::new(kind, format!("no permission to write into the folder {}", folder.display()))
        }
        _ => error,
    })
}

fn move_to(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    // Some file systems find out only now that the disk is full.
    file.as_file().sync_all()?;
    // A symbolic link goes on pointing to the file.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    file.persist(target).map(drop).map_err(|error| error.error)
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
}
