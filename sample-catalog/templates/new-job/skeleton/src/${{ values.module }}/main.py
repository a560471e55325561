"""${{ values.name }}"""

import logging

log = logging.getLogger("${{ values.name }}")


def main() -> None:
    log.info("starting")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
