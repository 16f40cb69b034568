"""Several processes and threads write to one database."""

import threading

from things import SYSTEM, OpenOffice
from writers import check_whole, rows_of, start_writer

from entities.messages import Create


def test_processes_and_threads_that_write_at_once_lose_nothing(open_office: OpenOffice) -> None:
    office = open_office()
    writers = [start_writer(office, prefix, 100) for prefix in ("a", "b")]

    def work(prefix: str) -> None:
        for number in range(50):
            name = f"{prefix}{number}"
            messages = (Create("gadget", {"name": name}), Create("account", {"name": f"with {name}"}))
            office.service.execute_transaction(messages, SYSTEM)

    threads = [threading.Thread(target=work, args=(prefix,)) for prefix in ("c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    printed = [writer.communicate(timeout=60)[0].split() for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(names) for names in printed] == [101, 101]
    expected = {
        f"{prefix}{n}" for prefix, count in (("a", 100), ("b", 100), ("c", 50), ("d", 50)) for n in range(count)
    }
    assert {record["name"] for record in rows_of(office, "gadget")} == expected
    check_whole(office)
