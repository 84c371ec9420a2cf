"""The keys under which a study and its trials keep what the sweeper notes in the database.

A key stays as it is for ever: studies that were made by earlier versions are continued.
"""

# User attributes of a study.
SPACE = "sweeper:search_space"  # what is searched, see SearchSpace.to_dict
CONFIG_NAME = "sweeper:config_name"  # the primary config; earlier versions did not note it
# True for a launch; with `of_launch`, since several commands may run one study at once.
STOPPED = "stopped_launch"  # its workers must stop now
TIME_IS_UP = "launch_out_of_time"  # its workers begin no further trial

# User attributes of a trial. Its fixed overrides are user attributes, too, under their own keys.
WORKER = "sweeper:worker"  # the process that runs it, see processes.py
HEARTBEAT = "sweeper:heartbeat"  # seconds between that worker's heartbeats
RETRIES = "sweeper:retries"  # how often its worker died
FAILURE = "sweeper:failure"  # why it failed
LAUNCH = "sweeper:launch"  # the command whose worker ran it last
DRAWN = "sweeper:drawn"  # true when all its parameters are drawn: a retry keeps them
CONFIGURATION = "sweeper:configuration"  # which listed configuration it stands for


def of_launch(key: str, launch: str) -> str:
    """Return the key under which a study notes something of one launch."""
    return f"{key}:{launch}"
