"""The pages for people: found below `web/pages/`, each shown in the shell."""
