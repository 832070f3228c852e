//! No file that is read is written over, and no two results go into one file.

use std::path::{Path, PathBuf};

use noisefit_core::wording::Setting;
use noisefit_data::write::FileIdentity;

use crate::refusal::Refusal;

/// A file that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Of the table.
    Data(FileIdentity),
    /// The model.
    Model(FileIdentity),
}

/// The file in which a search keeps its trials, beside its checkpoint: one more that is written.
///
/// ```
/// assert_eq!(noisefit::trials_beside("c".as_ref()), std::path::Path::new("c.trials.json"));
/// ```
pub fn trials_beside(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(".trials.json");
    name.into()
}

/// Refuses outputs that are files which are read, by what they are and not by what they are called: another path, a symbolic
/// or a hard link is the same file. What is no regular file, such as a pipe or `/dev/null`, is written to whatever is read.
///
/// # Errors
/// [`Refusal::OverwritesData`], [`Refusal::OverwritesModel`], [`Refusal::SameFile`].
///
/// ```
/// use std::path::Path;
/// use noisefit::{Read, Setting, refuse_overwriting};
/// use noisefit::data::write::FileIdentity;
///
/// let engel = Path::new("../testdata/engel.csv");
/// let read: Vec<Read> = FileIdentity::of(engel).map(Read::Data).into_iter().collect();
/// let again = Path::new("../testdata/../testdata/engel.csv");
/// assert!(refuse_overwriting(&[(Setting::Rows, again)], &read).is_err());
/// assert!(refuse_overwriting(&[(Setting::Rows, Path::new("rows.csv"))], &read).is_ok());
/// ```
pub fn refuse_overwriting(outputs: &[(Setting, &Path)], read: &[Read]) -> Result<(), Refusal> {
    let mut written: Vec<(Setting, FileIdentity)> = Vec::new();
    for &(setting, path) in outputs {
        let Some(identity) = FileIdentity::of(path) else { continue };
        let path = PathBuf::from(path);
        for file in read {
            match file {
                Read::Data(own) if *own == identity => return Err(Refusal::OverwritesData { setting, path }),
                Read::Model(own) if *own == identity => return Err(Refusal::OverwritesModel { setting, path }),
                _ => {}
            }
        }
        if let Some(&(other, _)) = written.iter().find(|(_, own)| *own == identity) {
            return Err(Refusal::SameFile { setting, path, other });
        }
        written.push((setting, identity));
    }
    Ok(())
}
