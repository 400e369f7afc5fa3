"""
Cut records into the batches that go to the workers.
"""

from collections.abc import Iterator, Sequence

from service.journal import Unstored


def batches(records: Sequence[Unstored], bytes_max: int) -> Iterator[list[Unstored]]:
    """
    Give the records in their order, as many together as stay within *bytes_max* characters of their
    bodies; one that is longer goes alone. Nothing for no records.
    """
    batch: list[Unstored] = []
    size = 0
    for record in records:
        length = size_of(record)
        if batch and size + length > bytes_max:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch


def size_of(record: Unstored) -> int:
    """
    Give how many characters the body of a record has.
    """
    return len(record.body or "")
