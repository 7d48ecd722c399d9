//! Values of the application's own beside a user, by their type.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// At most one value of each type. Nothing is allocated for none, and all clones share them.
#[derive(Clone, Default)]
pub(crate) struct Extensions(Option<Arc<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Extensions {
    pub(crate) fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        values.insert(TypeId::of::<T>(), Arc::new(value));
    }

    pub(crate) fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }
}
