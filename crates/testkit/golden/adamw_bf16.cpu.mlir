module @adamw_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x18xf32>, %arg1: tensor<3x18xf32>, %arg2: tensor<3x18xf32>, %arg3: tensor<3x18xf32>, %arg4: tensor<8xf32>, %arg5: tensor<i32>) -> (tensor<3x72xbf16>) {
    %0:4 = stablehlo.custom_call @collegium.adamw(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5) {api_version = 4 : i32, backend_config = {}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [2], operand_index = 2, operand_tuple_indices = []>]} : (tensor<3x18xf32>, tensor<3x18xf32>, tensor<3x18xf32>, tensor<3x18xf32>, tensor<8xf32>, tensor<i32>) -> (tensor<3x18xf32>, tensor<3x18xf32>, tensor<3x18xf32>, tensor<3x18xbf16>)
    %1 = stablehlo.convert %0#0 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %2 = stablehlo.convert %0#1 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %3 = stablehlo.convert %0#2 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %4 = stablehlo.concatenate %1, %2, %3, %0#3, dim = 1 : (tensor<3x18xbf16>, tensor<3x18xbf16>, tensor<3x18xbf16>, tensor<3x18xbf16>) -> tensor<3x72xbf16>
    return %4 : tensor<3x72xbf16>
  }
}
