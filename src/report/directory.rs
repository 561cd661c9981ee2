use crate::error::{Error, Place, Problem, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A directory that results go to: made before a run, so that a bad path fails at once, and filled with files that
/// appear whole or not at all.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directory, or takes one that is there, and checks that it can be written to.
    ///
    /// # Errors
    /// The system says no.
    pub fn create(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        new_file(path).map_err(|source| Error::io("write in", path, source))?;
        Ok(Self { path: path.to_owned() })
    }
    /// Checks that none of these files is there, of which the first vouches for the others; `what` they make, a word.
    ///
    /// # Errors
    /// One of them is; a hint tells of `--force`.
    pub fn holds_none_of(&self, what: &str, files: &[&str]) -> Result<()> {
        let Some(there) = files.iter().find(|file| self.path.join(file).exists()) else { return Ok(()) };
        let problem = match files.first() {
            Some(first) if first == there => Problem::new(format!("another {what} is kept here")),
            _ => Problem::new(format!("`{there}` is there, which is not of this {what}")),
        };
        let hint = "`--force` replaces what is there; another `--out` keeps it";
        Err(problem.at(Place::file(self.path.display().to_string())).hint(hint).into())
    }
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Writes a file in place of the one of that name.
    ///
    /// # Errors
    /// The system says no.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.write_with(name, |file| file.write_all(bytes))
    }
    /// Writes a file piece by piece in place of the one of that name.
    ///
    /// # Errors
    /// The system says no.
    pub fn write_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<()> {
        let path = self.path.join(name);
        let replace = || -> std::io::Result<()> {
            let mut file = new_file(&self.path)?;
            let mut buffered = std::io::BufWriter::with_capacity(1 << 20, file.as_file_mut());
            write(&mut buffered)?;
            buffered.flush()?;
            drop(buffered);
            file.persist(&path)?;
            Ok(())
        };
        replace().map_err(|source| Error::io("write", &path, source))
    }
    /// Takes away the file of that name, if there is one.
    ///
    /// # Errors
    /// The system says no.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file that stands alone, in place of what is there: whole or not at all.
///
/// # Errors
/// The system says no.
pub fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let missing = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "it names no file");
    let name = path.file_name().ok_or_else(|| Error::io("write", path, missing()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Directory { path: folder.to_owned() }.write_with(&name.to_string_lossy(), write)
}

/// A file without a name yet, that others may read as any other file of the user.
fn new_file(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory).map_err(without_its_name)
}

/// What the system said of a file whose name nobody knows.
fn without_its_name(error: std::io::Error) -> std::io::Error {
    let source = error.get_ref().and_then(|named| named.source()).and_then(|source| source.downcast_ref());
    source.and_then(std::io::Error::raw_os_error).map_or(error, std::io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(&place.path().join("a/b")).unwrap();
        directory.write("x", b"first").unwrap();
        let failed = directory.write_with("x", |file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("cut off"))
        });
        assert!(failed.is_err(), "the writer said so");
        assert_eq!(std::fs::read(directory.path().join("x")).unwrap(), b"first", "still the first");
        directory.write("x", b"second").unwrap();
        let names = || std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(names(), 1, "nothing is left behind");
        directory.remove("x").unwrap();
        directory.remove("x").unwrap();
        assert_eq!(names(), 0, "taken away, and no complaint that it is not there");
    }

    #[test]
    fn a_path_through_a_file_fails_at_once() {
        let place = tempfile::NamedTempFile::new().unwrap();
        let error = Directory::create(&place.path().join("x")).unwrap_err();
        assert!(error.to_string().starts_with("cannot create `"), "{error}");
    }
}
