"""Credential templates: one JSON file per kind of record, and what fills them."""

from issuer.templates.facts import DegreeFacts, IssuerFacts, RecordFacts, StatusPlace
from issuer.templates.template import (
    Template,
    TemplateInvalid,
    TemplateMissing,
    add_folders,
    folders,
    kinds,
    load,
    template_for,
)

__all__ = [
    "DegreeFacts",
    "IssuerFacts",
    "RecordFacts",
    "StatusPlace",
    "Template",
    "TemplateInvalid",
    "TemplateMissing",
    "add_folders",
    "folders",
    "kinds",
    "load",
    "template_for",
]
