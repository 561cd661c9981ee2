use crate::cluster::{Cluster, NodePower};
use crate::document::{Document, Placed};
use crate::error::{Error, Problem};
use crate::hardware::Catalogue;
use crate::scenario::files::Files;
use crate::trace::{CLUSTER_FORMATS, Options, read_cluster_bytes};
use std::cell::RefCell;

/// Formats that name their platforms as this program does; others bring names of their own.
const OWN_FORMAT: &str = "csv";

/// Reads a list of nodes; platforms that a foreign format brings are added to the catalogue, as fast as the reference.
pub(super) fn read(
    document: &Document,
    path: &Placed<String>,
    format: Option<&Placed<String>>,
    catalogue: &mut Catalogue,
    files: &mut Files,
) -> Option<Cluster> {
    if let Some(format) = format {
        let names = || std::iter::once("auto").chain(CLUSTER_FORMATS.iter().map(|format| format.name));
        if !names().any(|name| name == format.value) {
            let problem = Problem::new(format!("unknown format of node lists `{}`", format.value));
            document.complain(format.mark, problem.hint_nearest(format, names()));
            return None;
        }
    }
    let (resolved, bytes) = files.read(document, path)?;
    let grown = RefCell::new(catalogue.clone());
    let added = RefCell::new(Vec::new());
    let platform = |name: &str| {
        let known = grown.borrow().index_of(name);
        known.or_else(|| {
            let text = format!("[[platform]]\nname = {name:?}\ntitle = {name:?}\nlike = \"generic\"\n");
            let with = grown.borrow().with_file("node list", &text).ok()?;
            added.borrow_mut().push(name.to_owned());
            *grown.borrow_mut() = with;
            grown.borrow().index_of(name)
        })
    };
    let options = Options { platform: Some(&platform), ..Options::default() };
    let format = format.map(|format| format.value.as_str());
    let list = match read_cluster_bytes(&resolved.display().to_string(), &bytes, format, &options) {
        Ok(list) => list,
        Err(Error::Input(problems)) => {
            files.problems.append(problems);
            return None;
        }
        Err(other) => {
            document.complain(path.mark, Problem::new(other.to_string()));
            return None;
        }
    };
    let added = added.into_inner();
    if list.format == OWN_FORMAT && !added.is_empty() {
        for name in &added {
            let problem = Problem::new(format!("unknown platform `{name}` in `{}`", path.value));
            document.complain(path.mark, problem.hint_nearest(name, catalogue.names()));
        }
        return None;
    }
    files.notes.extend(list.notes.lines());
    if !added.is_empty() {
        files.notes.push(format!("platforms as fast as the reference, without power: {}", added.join(", ")));
    }
    *catalogue = grown.into_inner();
    let mut cluster = list.cluster;
    for kind in &mut cluster.kinds {
        let platform = catalogue.platforms().get(kind.platform as usize);
        kind.power = platform.map(|platform| NodePower::of(platform, kind.gpus)).unwrap_or_default();
    }
    Some(cluster)
}
