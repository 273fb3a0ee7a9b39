"""The contract language: a table or an event is a class, a column is one line.

A contract imports only the standard library and this package, so that it can be read where no part of the stack is
installed: in Airflow's environment, in a documentation build.
"""

from schemas.contract.column import Column as Column
from schemas.contract.column import col as col
from schemas.contract.column import like as like
from schemas.contract.declare import Contract as Contract
from schemas.contract.declare import contract as contract
from schemas.contract.declare import entity as entity
from schemas.contract.declare import event as event
from schemas.contract.declare import feed as feed
from schemas.contract.declare import record as record
from schemas.contract.declare import table as table
from schemas.contract.registry import Topic as Topic
from schemas.contract.registry import contracts as contracts
from schemas.contract.registry import entities as entities
from schemas.contract.registry import events as events
from schemas.contract.registry import find as find
from schemas.contract.registry import lists_corrections as lists_corrections
from schemas.contract.registry import order_by_dependency as order_by_dependency
from schemas.contract.registry import tables as tables
from schemas.contract.registry import topics as topics
from schemas.contract.storage import Plain as Plain
from schemas.contract.storage import Replacing as Replacing
