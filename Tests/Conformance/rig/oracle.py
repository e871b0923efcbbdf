"""A pod that keeps a diary outside: it tells from within how often it ran, and whether two of it ran at once.

Each instance locks a file, writes "begin" and, when it is asked to end, "end". An instance that finds the file locked
writes "double": there are two at once, whatever the API says.
"""

from rig.pods import pod, shell

SCRIPT = """exec 9>>/diary/lock
flock -n 9 || echo "double" >>/diary/log
trap 'echo "end" >>/diary/log; exit 0' TERM
echo "begin" >>/diary/log
sleep 100000 9>&- & wait"""


class Diary:
    """The outside of one such pod."""

    def __init__(self, directory, name):
        self.name = name
        self.place = directory / name
        self.place.mkdir()

    def pod(self, **spec):
        return pod(
            self.name,
            shell(SCRIPT, volumeMounts=[{"name": "diary", "mountPath": "/diary"}]),
            **dict(
                {"restartPolicy": "Always", "volumes": [{"name": "diary", "hostPath": {"path": str(self.place)}}]},
                **spec
            )
        )

    def lines(self):
        log = self.place / "log"
        return log.read_text().split() if log.exists() else []
