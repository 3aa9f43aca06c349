# tries: to go on after the organiser's process was killed
# must: end with it
# verdict: time
import time

time.sleep(60)
