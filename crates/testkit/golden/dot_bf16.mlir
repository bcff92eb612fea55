module @dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xbf16>, %arg1: tensor<5x3xbf16>, %arg2: tensor<2x5xbf16>) -> (tensor<2x5xbf16>, tensor<2x3xbf16>, tensor<5x3xbf16>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1] : (tensor<2x3xbf16>, tensor<5x3xbf16>) -> tensor<2x5xbf16>
    %1 = stablehlo.dot_general %arg2, %arg1, contracting_dims = [1] x [0] : (tensor<2x5xbf16>, tensor<5x3xbf16>) -> tensor<2x3xf32>
    %2 = stablehlo.convert %1 : (tensor<2x3xf32>) -> tensor<2x3xbf16>
    %3 = stablehlo.dot_general %arg2, %arg0, contracting_dims = [0] x [0] : (tensor<2x5xbf16>, tensor<2x3xbf16>) -> tensor<5x3xf32>
    %4 = stablehlo.convert %3 : (tensor<5x3xf32>) -> tensor<5x3xbf16>
    return %0, %2, %4 : tensor<2x5xbf16>, tensor<2x3xbf16>, tensor<5x3xbf16>
  }
}
