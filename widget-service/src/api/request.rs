//! From messages to domain types.

use proto::widget::v1 as pb;
use service_kit::{
    mask::{self, Fields},
    violations::Violations,
};

use crate::{
    Error,
    domain::{Edit, Input, Listing, WRITABLE},
};

/// What a client may send of a widget. Output-only fields are not looked at: what was read can be sent back.
pub(super) fn input(widget: &pb::Widget) -> Input {
    Input::parse(&widget.name, &widget.description, &widget.info_url, widget.deadline)
}

pub(super) fn listing(request: &pb::ListWidgetsRequest) -> Result<Listing, Error> {
    let listing = Listing::parse(
        request.page_size,
        &request.page_token,
        &request.order_by,
        &request.name_prefix,
    );
    listing.map_err(Error::Invalid)
}

/// The edit that an update asks for, and whether it is only to be checked.
pub(super) fn update(request: pb::UpdateWidgetRequest) -> (Edit, bool) {
    let widget = request.widget.unwrap_or_default();
    let mut wrong = Violations::new();
    let mask = wrong.take("update_mask", mask::parse(request.update_mask.as_ref(), &WRITABLE));
    let edit = Edit {
        input: input(&widget),
        fields: mask.flatten().unwrap_or_else(|| populated(&widget)),
        etag: widget.etag,
        allow_missing: request.allow_missing,
        wrong,
    };
    (edit, request.validate_only)
}

/// The edit that a replacement is, and whether it is only to be checked.
pub(super) fn replacement(request: pb::ReplaceWidgetRequest) -> (Edit, bool) {
    let widget = request.widget.unwrap_or_default();
    let edit = Edit {
        input: input(&widget),
        fields: Fields::from(WRITABLE),
        etag: widget.etag,
        allow_missing: true,
        wrong: Violations::new(),
    };
    (edit, request.validate_only)
}

/// What an absent mask means (AIP-134).
fn populated(widget: &pb::Widget) -> Fields {
    let populated = [
        ("description", !widget.description.is_empty()),
        ("info_url", !widget.info_url.is_empty()),
        ("deadline", widget.deadline.is_some()),
    ];
    populated
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(field, _)| field)
        .collect()
}
