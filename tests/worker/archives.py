"""Archives of modules for tests, good and bad."""

import io
import stat
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)


def archive(files: dict[str, str | bytes], *, mode: int = stat.S_IFREG | 0o644) -> bytes:
    """A zip of these files, without a look at their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = mode << 16
            target.writestr(member, content)
    return buffer.getvalue()


def link(name: str, target: str) -> bytes:
    """A zip that holds one symbolic link."""
    return archive({name: target}, mode=stat.S_IFLNK | 0o777)
