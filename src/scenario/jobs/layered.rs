use crate::document::{Item, Placed, Read, Table};
use crate::error::Problem;

/// A job's table over the template it names: what the job does not say, the template does.
#[derive(Debug)]
pub(super) struct Layered<'d> {
    pub(super) own: Table<'d>,
    template: Option<Table<'d>>,
}

/// The templates of a document, by name, in file order.
pub(super) type Templates<'d> = Vec<(Placed<String>, Table<'d>)>;

impl<'d> Layered<'d> {
    /// A job and its template; one it names in vain is reported.
    pub(super) fn new(mut own: Table<'d>, templates: &Templates<'d>) -> Self {
        own.as_kind("job");
        let Some(name) = own.optional::<String>("template") else { return Self { own, template: None } };
        let found = templates.iter().find(|(known, _)| known.value == name.value);
        if found.is_none() {
            let known: Vec<&str> = templates.iter().map(|(known, _)| known.value.as_str()).collect();
            let problem = Problem::new(format!("unknown template `{}`", name.value));
            let problem = match known.is_empty() {
                true => problem.hint("this file has no `[template.NAME]`"),
                false => problem.hint_nearest(&name, known),
            };
            own.document().complain(name.mark, problem);
        }
        Self { own, template: found.map(|(_, table)| table.clone()) }
    }
    /// A template on its own, to see what is wrong with it.
    pub(super) fn template(mut own: Table<'d>) -> Self {
        own.as_kind("job");
        Self { own, template: None }
    }
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'d>> {
        let own = self.own.item(key);
        own.or_else(|| self.template.as_mut()?.item(key))
    }
    pub(super) fn optional<T: Read>(&mut self, key: &'static str) -> Option<Placed<T>> {
        self.item(key)?.read()
    }
    pub(super) fn value_or<T: Read>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).map_or(default, |placed| placed.value)
    }
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, known: &[(&str, T)]) -> Option<Placed<T>> {
        self.item(key)?.choice(known)
    }
    /// Keys that mean something only together: if the job says one of them, the template's are not asked.
    pub(super) fn group<T>(&mut self, keys: &[&'static str], read: impl FnOnce(&mut Table<'d>) -> T) -> T {
        let own_says = keys.iter().any(|key| self.own.has(key));
        match &mut self.template {
            Some(template) if !own_says => {
                // So that they count as known keys of the job.
                for key in keys {
                    self.own.item(key);
                }
                read(template)
            }
            _ => read(&mut self.own),
        }
    }
    /// Reports the unknown keys of the job; those of the template are reported where it is read alone.
    pub(super) fn finish(self) {
        self.own.finish();
    }
}
