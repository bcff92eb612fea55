module @normed_route_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xf32>, %arg1: tensor<6x9xf32>, %arg2: tensor<6xf32>, %arg3: tensor<9xf32>) -> (tensor<5x2xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<5x9xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.reduce(%0 init: %1) applies stablehlo.add across dimensions = [1] : (tensor<5x9xf32>, tensor<f32>) -> tensor<5xf32>
    %3 = stablehlo.constant dense<0.11111111> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %5 = stablehlo.multiply %2, %4 : tensor<5xf32>
    %6 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %8 = stablehlo.add %5, %7 : tensor<5xf32>
    %9 = stablehlo.rsqrt %8 : tensor<5xf32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [0] : (tensor<5xf32>) -> tensor<5x9xf32>
    %11 = stablehlo.multiply %arg0, %10 : tensor<5x9xf32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<9xf32>) -> tensor<5x9xf32>
    %13 = stablehlo.multiply %11, %12 : tensor<5x9xf32>
    %14 = stablehlo.dot_general %13, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x9xf32>, tensor<6x9xf32>) -> tensor<5x6xf32>
    %15 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %16 = stablehlo.reduce(%14 init: %15) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %18 = stablehlo.subtract %14, %17 : tensor<5x6xf32>
    %19 = stablehlo.exponential %18 : tensor<5x6xf32>
    %20 = stablehlo.constant dense<0.0> : tensor<f32>
    %21 = stablehlo.reduce(%19 init: %20) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %23 = stablehlo.divide %19, %22 : tensor<5x6xf32>
    %24 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<6xf32>) -> tensor<5x6xf32>
    %25 = stablehlo.add %23, %24 : tensor<5x6xf32>
    %26 = stablehlo.iota dim = 1 : tensor<5x6xf32>
    %27 = stablehlo.constant dense<6.0> : tensor<f32>
    %28 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %29 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %30 = stablehlo.reduce(%25 init: %29) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %32 = stablehlo.compare EQ, %25, %31, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %33 = stablehlo.broadcast_in_dim %27, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %34 = stablehlo.select %32, %26, %33 : tensor<5x6xi1>, tensor<5x6xf32>
    %35 = stablehlo.constant dense<0x7F800000> : tensor<f32>
    %36 = stablehlo.reduce(%34 init: %35) applies stablehlo.minimum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %37 = stablehlo.broadcast_in_dim %36, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %38 = stablehlo.compare EQ, %26, %37, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %39 = stablehlo.broadcast_in_dim %28, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %40 = stablehlo.select %38, %39, %25 : tensor<5x6xi1>, tensor<5x6xf32>
    %41 = stablehlo.convert %38 : (tensor<5x6xi1>) -> tensor<5x6xf32>
    %42 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %43 = stablehlo.reduce(%40 init: %42) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %44 = stablehlo.broadcast_in_dim %43, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %45 = stablehlo.compare EQ, %40, %44, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %46 = stablehlo.select %45, %26, %33 : tensor<5x6xi1>, tensor<5x6xf32>
    %47 = stablehlo.constant dense<0x7F800000> : tensor<f32>
    %48 = stablehlo.reduce(%46 init: %47) applies stablehlo.minimum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %50 = stablehlo.compare EQ, %26, %49, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %51 = stablehlo.convert %50 : (tensor<5x6xi1>) -> tensor<5x6xf32>
    %52 = stablehlo.multiply %23, %41 : tensor<5x6xf32>
    %53 = stablehlo.constant dense<0.0> : tensor<f32>
    %54 = stablehlo.reduce(%52 init: %53) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %55 = stablehlo.multiply %23, %51 : tensor<5x6xf32>
    %56 = stablehlo.constant dense<0.0> : tensor<f32>
    %57 = stablehlo.reduce(%55 init: %56) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %58 = stablehlo.reshape %54 : (tensor<5xf32>) -> tensor<5x1xf32>
    %59 = stablehlo.reshape %57 : (tensor<5xf32>) -> tensor<5x1xf32>
    %60 = stablehlo.concatenate %58, %59, dim = 1 : (tensor<5x1xf32>, tensor<5x1xf32>) -> tensor<5x2xf32>
    %61 = stablehlo.constant dense<0.0> : tensor<f32>
    %62 = stablehlo.reduce(%60 init: %61) applies stablehlo.add across dimensions = [1] : (tensor<5x2xf32>, tensor<f32>) -> tensor<5xf32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [0] : (tensor<5xf32>) -> tensor<5x2xf32>
    %64 = stablehlo.divide %60, %63 : tensor<5x2xf32>
    return %64 : tensor<5x2xf32>
  }
}
