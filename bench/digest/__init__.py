"""From a trial's files to one record: a pure function of what is in the folder."""
