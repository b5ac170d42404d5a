-- Which services may call a single letter urgent (docs/bulk.md).
alter table service add sends_urgent boolean not null default false;
