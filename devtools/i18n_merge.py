"""Merge Odoo's export of terms into the template and the catalogues.

Runs in the virtual environment (it needs polib); the export comes on standard input.
Dates are omitted, because they would change files without changed terms.
"""

import sys
from pathlib import Path

import polib

WIDTH = 78  # columns, as Odoo writes
PLURALS = {
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
    "(n%100<10 || n%100>=20) ? 1 : 2);"
}


def main(mode, folder, module, *languages):
    folder = Path(folder)
    template = polib.pofile(sys.stdin.read(), wrapwidth=WIDTH)
    template.metadata = _metadata(template)
    template.sort(key=lambda entry: entry.msgid)
    files = {folder / f"{module}.pot": template}
    for language in languages:
        path = folder / f"{language}.po"
        files[path] = _merged(template, path, language)
    if mode == "--write":
        for path, catalogue in files.items():
            _write(path, catalogue)
        return
    for path, catalogue in files.items():
        for problem in _problems(path, catalogue):
            print(f"{path.parent.name}/{path.name}: {problem}")


def _metadata(template):
    kept = ("Project-Id-Version", "MIME-Version", "Content-Type")
    metadata = {key: template.metadata[key] for key in kept if key in template.metadata}
    return {**metadata, "Content-Transfer-Encoding": "8bit"}


def _merged(template, path, language):
    """Keep the existing translations.

    :param polib.POFile template: the terms.
    :param pathlib.Path path: the present catalogue; it need not exist.
    :param str language: code.
    :rtype: polib.POFile
    """
    known = {}
    if path.exists():
        known = {entry.msgid: entry for entry in polib.pofile(str(path))}
    merged = polib.POFile(wrapwidth=WIDTH)
    merged.header = template.header
    merged.metadata = {**template.metadata, "Language": language}
    merged.metadata["Plural-Forms"] = PLURALS[language]
    for term in template:
        old = known.get(term.msgid)
        merged.append(
            polib.POEntry(
                msgid=term.msgid,
                msgstr=old.msgstr if old else "",
                occurrences=term.occurrences,
                comment=term.comment,
                tcomment=old.tcomment if old else "",
                flags=old.flags if old else term.flags,
            )
        )
    return merged


def _write(path, catalogue):
    path.parent.mkdir(exist_ok=True)
    path.write_text(_text(catalogue), encoding="utf-8")
    missing = sum(not entry.msgstr for entry in catalogue)
    state = f", {missing} not translated" if path.suffix == ".po" and missing else ""
    print(f"{path.name}: {len(catalogue)} terms{state}")


def _text(catalogue):
    return str(catalogue).rstrip("\n") + "\n"


def _problems(path, catalogue):
    if not path.exists():
        yield "is missing; run ./dev i18n"
        return
    committed = polib.pofile(str(path), wrapwidth=WIDTH)
    terms = {entry.msgid for entry in catalogue}
    known = {entry.msgid for entry in committed if not entry.obsolete}
    for msgid in sorted(terms - known):
        yield f"lacks {msgid!r}; run ./dev i18n"
    for msgid in sorted(known - terms):
        yield f"has {msgid!r}, which is gone; run ./dev i18n"
    if terms == known and _text(catalogue) != path.read_text(encoding="utf-8"):
        yield "is not as ./dev i18n writes it; run ./dev i18n"
    if path.suffix != ".po":
        return
    for entry in committed:
        if entry.fuzzy or not entry.msgstr:
            yield f"{entry.msgid!r} is {'fuzzy' if entry.fuzzy else 'not translated'}"


if __name__ == "__main__":
    main(*sys.argv[1:])
