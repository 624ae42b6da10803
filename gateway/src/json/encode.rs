//! Wire format into JSON.
//!
//! A message is read twice: once to note where each field lies, once in the order of the fields to print them. The
//! notes of all open messages share one stack, so nothing is allocated per message.

use super::{print, writer};
use crate::{
    plan::{DefaultValue, FieldPlan, MessageId, MessagePlan, Plans, Shape, Type},
    wire::{self, Invalid, MAX_DEPTH, Raw, Reader},
};

/// Prints messages as JSON.
pub(crate) struct Encoder<'p> {
    pub(super) plans: &'p Plans,
    /// The JSON so far.
    pub(crate) out: Vec<u8>,
    slots: Vec<Slot>,
    depth: usize,
}

/// Where a field lies in its message.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// How often it is there.
    count: u32,
    /// Where the first occurrence's tag begins.
    first: usize,
    /// Where the last occurrence ends.
    end: usize,
    /// The last occurrence: a number, or start and length of the bytes.
    number: u64,
    length: usize,
}

pub(super) type Printed = Result<(), Invalid>;

impl<'p> Encoder<'p> {
    /// Prepares to print about this many bytes of wire format.
    pub(crate) fn new(plans: &'p Plans, size: usize) -> Self {
        Self {
            plans,
            out: Vec::with_capacity(size * 2 + 256),
            slots: Vec::with_capacity(64),
            depth: 0,
        }
    }

    /// Prints a whole message.
    pub(crate) fn message(&mut self, id: MessageId, bytes: &[u8]) -> Printed {
        let plan = self.plans.message(id);
        self.deeper(|encoder| {
            if let Some(kind) = plan.well_known {
                return encoder.well_known(kind, bytes);
            }
            encoder.out.push(b'{');
            encoder.members(plan, bytes)?;
            encoder.out.push(b'}');
            Ok(())
        })
    }

    /// Goes a level down, if there is one left.
    #[inline]
    pub(super) fn deeper(&mut self, print: impl FnOnce(&mut Self) -> Printed) -> Printed {
        if self.depth == MAX_DEPTH {
            return Err(Invalid("messages nest too deep"));
        }
        self.depth += 1;
        print(self)?;
        self.depth -= 1;
        Ok(())
    }

    /// Prints one field of a message as the whole value; one without presence or value as what ProtoJSON has for it.
    pub(crate) fn only_field(&mut self, id: MessageId, index: u16, bytes: &[u8]) -> Printed {
        let plan = self.plans.message(id);
        let base = self.note(plan, bytes)?;
        let field = plan.field(index);
        let slot = self.slots[base + usize::from(index)];
        if slot.count > 0 || (!field.presence && field.shape == Shape::Single) {
            self.print_field(field, bytes, slot)?;
        } else {
            let empty: &[u8] = match field.shape {
                Shape::List => b"[]",
                Shape::Map(_) => b"{}",
                Shape::Single if self.plans.plain_message(field.ty).is_some() => b"{}",
                Shape::Single => b"null",
            };
            self.out.extend_from_slice(empty);
        }
        self.slots.truncate(base);
        Ok(())
    }

    /// Prints a single field at the end of a path of indexes; nothing when a message on the way is absent.
    pub(crate) fn nested_field(&mut self, id: MessageId, path: &[u16], bytes: &[u8]) -> Printed {
        let Some((index, rest)) = path.split_first() else {
            return Ok(());
        };
        let field = self.plans.message(id).field(*index);
        match field.ty {
            Type::Message(inner) if !rest.is_empty() => {
                let base = self.note(self.plans.message(id), bytes)?;
                let slot = self.slots[base + usize::from(*index)];
                self.slots.truncate(base);
                if slot.count == 0 {
                    return Ok(());
                }
                let merged = self.merged(field, bytes, slot)?;
                self.nested_field(inner, rest, &merged)
            }
            _ => self.only_field(id, *index, bytes),
        }
    }

    /// Prints the members of an object, without the braces.
    pub(super) fn members(&mut self, plan: &MessagePlan, bytes: &[u8]) -> Printed {
        let base = self.note(plan, bytes)?;
        for (index, field) in plan.fields.iter().enumerate() {
            let slot = self.slots[base + index];
            if slot.count == 0 && field.presence {
                continue;
            }
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.key);
            self.print_field(field, bytes, slot)?;
        }
        self.slots.truncate(base);
        Ok(())
    }

    /// Notes where the fields lie; gives the place of the first note.
    fn note(&mut self, plan: &MessagePlan, bytes: &[u8]) -> Result<usize, Invalid> {
        let base = self.slots.len();
        self.slots.resize(base + plan.fields.len(), Slot::default());
        let mut reader = Reader::new(bytes);
        while !reader.is_done() {
            let first = reader.offset();
            let (number, wire_type) = reader.tag()?;
            let raw = reader.value(number, wire_type)?;
            let Some(index) = plan.by_number(number) else {
                continue;
            };
            let field = plan.field(index);
            check_wire_type(field, wire_type)?;
            if let Some(oneof) = field.oneof {
                self.drop_others(plan, base, oneof, index);
            }
            let end = reader.offset();
            let slot = &mut self.slots[base + usize::from(index)];
            if slot.count == 0 {
                slot.first = first;
            }
            slot.count += 1;
            slot.end = end;
            (slot.number, slot.length) = match raw {
                Raw::Number(number) => (number, 0),
                Raw::Bytes(inner) if wire_type == wire::LENGTH => ((end - inner.len()) as u64, inner.len()),
                Raw::Bytes(inner) => (group_start(bytes, first) as u64, inner.len()),
            };
        }
        Ok(base)
    }

    /// Of a oneof's members on the wire the last one counts.
    fn drop_others(&mut self, plan: &MessagePlan, base: usize, oneof: u16, index: u16) {
        for other in plan.oneofs.get(usize::from(oneof)).into_iter().flatten() {
            if *other != index {
                self.slots[base + usize::from(*other)] = Slot::default();
            }
        }
    }

    fn print_field(&mut self, field: &FieldPlan, bytes: &[u8], slot: Slot) -> Printed {
        match field.shape {
            Shape::Single if slot.count == 0 => self.default_value(field),
            Shape::Single => self.single(field, bytes, slot),
            Shape::List => self.list(field, bytes, slot),
            Shape::Map(key) => self.map(field, key, bytes, slot),
        }
    }

    fn default_value(&mut self, field: &FieldPlan) -> Printed {
        let number = match field.default {
            DefaultValue::Zero => 0,
            DefaultValue::Enum(number) => i64::from(number) as u64,
        };
        let raw = if matches!(field.ty, Type::String | Type::Bytes) {
            Raw::Bytes(&[])
        } else {
            Raw::Number(number)
        };
        self.value(field.ty, raw)
    }

    fn single(&mut self, field: &FieldPlan, bytes: &[u8], slot: Slot) -> Printed {
        if field.ty.is_packable() {
            return self.value(field.ty, Raw::Number(slot.number));
        }
        if slot.count > 1 && matches!(field.ty, Type::Message(_) | Type::Group(_)) {
            let merged = self.merged(field, bytes, slot)?;
            return self.value(field.ty, Raw::Bytes(&merged));
        }
        let start = slot.number as usize;
        let content = bytes
            .get(start..start + slot.length)
            .ok_or(Invalid("a value is cut off"))?;
        self.value(field.ty, Raw::Bytes(content))
    }

    /// A message that is there in several parts is the parts one after another.
    fn merged(&self, field: &FieldPlan, bytes: &[u8], slot: Slot) -> Result<Vec<u8>, Invalid> {
        let mut merged = Vec::new();
        for raw in Occurrences::new(field, bytes, slot) {
            if let Raw::Bytes(part) = raw? {
                merged.extend_from_slice(part);
            }
        }
        Ok(merged)
    }

    fn list(&mut self, field: &FieldPlan, bytes: &[u8], slot: Slot) -> Printed {
        self.out.push(b'[');
        if slot.count > 0 {
            for raw in Occurrences::new(field, bytes, slot) {
                match raw? {
                    Raw::Bytes(packed) if field.ty.is_packable() => self.packed(field.ty, packed)?,
                    raw => self.element(field.ty, raw)?,
                }
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn packed(&mut self, ty: Type, bytes: &[u8]) -> Printed {
        let mut reader = Reader::new(bytes);
        while !reader.is_done() {
            let raw = reader.value(0, ty.wire_type())?;
            self.element(ty, raw)?;
        }
        Ok(())
    }

    pub(super) fn element(&mut self, ty: Type, raw: Raw<'_>) -> Printed {
        if self.out.last() != Some(&b'[') {
            self.out.push(b',');
        }
        self.value(ty, raw)
    }

    fn map(&mut self, field: &FieldPlan, key_type: Type, bytes: &[u8], slot: Slot) -> Printed {
        self.out.push(b'{');
        if slot.count > 0 {
            let mut entries = Vec::with_capacity(slot.count as usize);
            for raw in Occurrences::new(field, bytes, slot) {
                if let Raw::Bytes(entry) = raw? {
                    entries.push(print::entry(entry, key_type, field.ty)?);
                }
            }
            print::keep_last(&mut entries);
            for entry in entries {
                if self.out.last() != Some(&b'{') {
                    self.out.push(b',');
                }
                self.map_key(key_type, entry.key)?;
                self.out.push(b':');
                self.map_value(field, &entry)?;
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn map_value(&mut self, field: &FieldPlan, entry: &print::Entry<'_>) -> Printed {
        match (&entry.merged, entry.value) {
            (Some(merged), _) => self.value(field.ty, Raw::Bytes(merged)),
            (None, Some(value)) => self.value(field.ty, value),
            (None, None) if field.ty.is_packable() => self.default_value(field),
            (None, None) => self.value(field.ty, Raw::Bytes(&[])),
        }
    }

    fn map_key(&mut self, key_type: Type, key: Raw<'_>) -> Printed {
        let quoted = matches!(
            key_type,
            Type::String | Type::Int64 | Type::Uint64 | Type::Sint64 | Type::Fixed64 | Type::Sfixed64
        );
        if quoted {
            return self.value(key_type, key);
        }
        self.out.push(b'"');
        self.value(key_type, key)?;
        self.out.push(b'"');
        Ok(())
    }

    /// Prints one value.
    pub(super) fn value(&mut self, ty: Type, raw: Raw<'_>) -> Printed {
        let out = &mut self.out;
        match (ty, raw) {
            (Type::String, Raw::Bytes(bytes)) => {
                let text = std::str::from_utf8(bytes).map_err(|_| Invalid("a string is not UTF-8"))?;
                writer::string(out, text);
            }
            (Type::Bytes, Raw::Bytes(bytes)) => writer::base64(out, bytes),
            (Type::Message(id) | Type::Group(id), Raw::Bytes(bytes)) => return self.message(id, bytes),
            (Type::Bool, Raw::Number(number)) => {
                out.extend_from_slice(if number == 0 { b"false" } else { b"true" });
            }
            (Type::Int32 | Type::Sfixed32, Raw::Number(number)) => writer::integer(out, number as i32),
            (Type::Uint32 | Type::Fixed32, Raw::Number(number)) => writer::integer(out, number as u32),
            (Type::Sint32, Raw::Number(number)) => writer::integer(out, unzigzag(u64::from(number as u32)) as i32),
            (Type::Int64 | Type::Sfixed64, Raw::Number(number)) => writer::quoted_integer(out, number as i64),
            (Type::Uint64 | Type::Fixed64, Raw::Number(number)) => writer::quoted_integer(out, number),
            (Type::Sint64, Raw::Number(number)) => writer::quoted_integer(out, unzigzag(number)),
            (Type::Double, Raw::Number(number)) => writer::double(out, f64::from_bits(number)),
            (Type::Float, Raw::Number(number)) => writer::float(out, f32::from_bits(number as u32)),
            (Type::Enum(id), Raw::Number(number)) => self.enumeration(id, number as i32),
            _ => return Err(Invalid("a value has another type than its field")),
        }
        Ok(())
    }

    fn enumeration(&mut self, id: crate::plan::EnumId, number: i32) {
        let plan = self.plans.enumeration(id);
        match plan.names.get(&number) {
            Some(_) if plan.is_null => self.out.extend_from_slice(b"null"),
            Some(name) => self.out.extend_from_slice(name.as_bytes()),
            None => writer::integer(&mut self.out, number),
        }
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Lists may come packed or not, whatever the field says.
fn check_wire_type(field: &FieldPlan, found: u8) -> Printed {
    let packed = field.shape == Shape::List && field.ty.is_packable() && found == wire::LENGTH;
    let wanted = match field.shape {
        Shape::Map(_) => wire::LENGTH,
        _ => field.ty.wire_type(),
    };
    if found == wanted || packed {
        Ok(())
    } else {
        Err(Invalid("a field has another wire type than its type"))
    }
}

/// Where a group's content begins, given where its tag does.
fn group_start(bytes: &[u8], tag: usize) -> usize {
    let mut reader = Reader::at_offset(bytes, tag);
    // The tag was read before, so it can be read again.
    let _ = reader.tag();
    reader.offset()
}

/// The occurrences of one field between its first and its last.
struct Occurrences<'a> {
    reader: Reader<'a>,
    number: u32,
    end: usize,
}

impl<'a> Occurrences<'a> {
    fn new(field: &FieldPlan, bytes: &'a [u8], slot: Slot) -> Self {
        Self {
            reader: Reader::at_offset(bytes, slot.first),
            number: field.number,
            end: slot.end,
        }
    }
}

impl<'a> Iterator for Occurrences<'a> {
    type Item = Result<Raw<'a>, Invalid>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.reader.offset() < self.end {
            let (number, wire_type) = match self.reader.tag() {
                Ok(tag) => tag,
                Err(invalid) => return Some(Err(invalid)),
            };
            let raw = self.reader.value(number, wire_type);
            if number == self.number {
                return Some(raw);
            }
        }
        None
    }
}
