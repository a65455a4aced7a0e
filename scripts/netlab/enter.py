"""Becomes a program inside a network of the lab: `enter.py LINK_PID NET_FD USER_FD|- PARENT_PID PRIORITY PROGRAM ARGUMENT...`.

The program is killed with whoever started it, so a lab that is killed leaves nothing running. A
PRIORITY above 0 is a real-time one.
"""

import os
import signal
import sys

import namespaces


def main():
    link, network, user, parent, priority, *command = sys.argv[1:]
    files = [(network, namespaces.CLONE_NEWNET)]
    if user != "-":
        files.insert(0, (user, namespaces.CLONE_NEWUSER))
    opened = [(os.open(f"/proc/{link}/fd/{fd}", os.O_RDONLY), kind) for fd, kind in files]
    for fd, kind in opened:
        namespaces.set_namespace(fd, kind)
        os.close(fd)
    namespaces.die_with_parent(signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the lab has ended")
    if priority != "0":
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(int(priority)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
