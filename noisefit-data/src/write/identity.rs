//! Which file a path stands for, whatever it is called.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// As many symbolic links are followed, one after the other, as Linux follows.
const MOST_LINKS: usize = 40;

/// A file, by what it is and not by what it is called: two paths that have the same are the same file.
///
/// ```
/// use noisefit_data::write::FileIdentity;
///
/// let folder = tempfile::tempdir()?;
/// let (file, link) = (folder.path().join("file"), folder.path().join("again"));
/// std::fs::write(&file, "x")?;
/// std::fs::hard_link(&file, &link)?;
/// assert_eq!(FileIdentity::of(&file), FileIdentity::of(&link));
/// // Of what is not there yet it is the path, links resolved.
/// assert_eq!(FileIdentity::of(&folder.path().join("new")), FileIdentity::of(&folder.path().join("./new")));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity(Known);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// The device, and the number of the file on it.
    #[cfg_attr(not(unix), allow(dead_code, reason = "the system has no such numbers"))]
    Number(u64, u64),
    /// Where it is, or is to be.
    Path(PathBuf),
}

impl FileIdentity {
    /// Of what a path stands for; none for what is no regular file, such as a pipe or `/dev/null`, which is written to as it
    /// is.
    pub fn of(path: &Path) -> Option<Self> {
        match std::fs::metadata(path) {
            Ok(metadata) => Self::of_file(&metadata, path),
            Err(_) => Some(FileIdentity(Known::Path(destination(path)))),
        }
    }

    /// Of what standard input is redirected from, where that is a regular file.
    pub fn of_standard_input() -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let file = std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?);
            Self::of_file(&file.metadata().ok()?, Path::new("-"))
        }
        #[cfg(not(unix))]
        None
    }

    fn of_file(metadata: &Metadata, path: &Path) -> Option<Self> {
        if !metadata.is_file() {
            return None;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let _ = path;
            Some(FileIdentity(Known::Number(metadata.dev(), metadata.ino())))
        }
        #[cfg(not(unix))]
        Some(FileIdentity(Known::Path(destination(path))))
    }
}

/// Where what is written to a path ends up: symbolic links are followed, also to a file that is not there yet.
pub(super) fn destination(path: &Path) -> PathBuf {
    if let Ok(found) = std::fs::canonicalize(path) {
        return found;
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = folder_of(&path).join(target);
    }
    match (std::fs::canonicalize(folder_of(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// The folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
