"""Floor 0: the API's contract as data, its reader and its checker. No I/O but reading its own files."""

from airflow_provider.contract.check import check_arguments, check_body, check_value
from airflow_provider.contract.load import ContractError, contract
from airflow_provider.contract.model import Contract, Operation, Parameter, UnknownOperation

__all__ = [
    "Contract",
    "ContractError",
    "Operation",
    "Parameter",
    "UnknownOperation",
    "check_arguments",
    "check_body",
    "check_value",
    "contract",
]
